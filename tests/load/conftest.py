"""What the benchmarks run on: an installation of the benchmark's own, for each file that asks."""

import os
from collections.abc import AsyncGenerator

import pytest
from tests.stack.running import ROOT, make_directory

from handoff.bench.installation import Installation, installed


class Silent:
    """Watches a run whose progress interests nobody."""

    def doing(self, what: str) -> None:
        """Show nothing."""

    def done(self) -> None:
        """Count nothing."""


@pytest.fixture(scope="module")
async def installation() -> AsyncGenerator[Installation]:
    """Postgres and Kafka, with fresh databases and topics; no service runs yet."""
    directory = make_directory()
    async with installed(ROOT, directory, os.environ, Silent()) as installation:
        await installation.renew("load")
        yield installation
    directory.rmdir()
