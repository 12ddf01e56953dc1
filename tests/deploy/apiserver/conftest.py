"""The cluster, for all tests that ask it: one for a whole run."""

from collections.abc import AsyncGenerator

import pytest
from tests.deploy.apiserver.cluster import Cluster, a_cluster

from handoff.embedded.machine import Missing


@pytest.fixture(scope="session")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Cluster]:
    """A cluster; where it cannot be built, the test is skipped and says so."""
    try:
        async with a_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
            yield cluster
    except Missing as reason:
        pytest.skip(f"NOT TESTED: {reason}")
