"""What the benchmarks run on: an installation of their own, and databases that are full."""

import os
from collections.abc import AsyncGenerator, Mapping

import pytest
from tests.faults.figures import sized
from tests.load.many_leads import fill
from tests.stack import databases
from tests.stack.inside import PACKAGES
from tests.stack.running import ROOT, Stack, make_directory

from handoff.bench.installation import Installation, installed

_ADDS_LEADS = "test_a_lead_costs_as_much_among_many_as_among_few"
MANY = int(os.environ.get("HANDOFF_LEADS", sized(200_000, 1_000_000)))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ask for lists first: hundreds of new leads would have to be passed over for what is older."""
    items.sort(key=lambda item: item.name == _ADDS_LEADS)


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


@pytest.fixture(scope="session")
async def many(stack: Stack) -> AsyncGenerator[Mapping[str, str]]:
    """The databases of many leads, by package; who adds some comes last."""
    urls = {package: await databases.make_copy(stack, package) for package in PACKAGES}
    await fill({package.replace("_", "-"): url for package, url in urls.items()}, MANY)
    yield urls
    for url in urls.values():
        await databases.drop(stack, url)
