"""Who lacks what the cluster is built with is told so, and no test counts as passed."""

from pathlib import Path

import pytest
from tests.deploy.apiserver.building import programs
from tests.deploy.apiserver.cluster import a_cluster

from handoff.embedded.machine import Missing


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with nothing on its path, and nothing kept."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


async def test_who_has_no_go_is_told_so() -> None:
    with pytest.raises(Missing, match=r"^No Go was found\. Go 1\.21 or newer is needed"):
        await programs()


async def test_who_has_no_kubectl_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"^No kubectl was found: "):
        async with a_cluster(tmp_path):
            pytest.fail("there is a cluster")
