"""Who lacks what a node is made of is told so, and no test counts as passed."""

import os
from pathlib import Path

import pytest
from tests.deploy.node import needs

from handoff.embedded.machine import Missing


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with nothing on its path, on which nothing may be installed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("HANDOFF_INSTALL", raising=False)


def test_who_has_no_containerd_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    with pytest.raises(Missing, match="apt-get install --no-install-recommends containerd runc"):
        needs.want()


def test_who_is_not_root_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(Missing, match="only root"):
        needs.want()
