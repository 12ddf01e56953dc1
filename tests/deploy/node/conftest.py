"""The node and what is installed on it: once for a whole run, begun by `make kubernetes-run`."""

import asyncio
import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from tests.deploy.node.installed import Installed, install
from tests.deploy.node.running import a_node


@pytest.fixture(scope="session")
async def installed() -> AsyncGenerator[Installed]:
    """The overlay `local` on a node; without its namespaces the test is skipped and says so."""
    directory = os.environ.get("HANDOFF_NODE")
    if directory is None:
        pytest.skip("NOT TESTED: `make kubernetes-run` gives these tests a node")
    async with a_node(Path(directory)) as (cluster, node):
        yield await asyncio.to_thread(install, cluster, node)
