"""Which release a checkout comes after is asked of git; who cannot know is told what to do."""

import subprocess
from pathlib import Path

import pytest
from tests.contract.artefacts import released

WHO = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")


def git(where: Path, *words: str) -> None:
    subprocess.run(["git", *WHO, *words], cwd=where, check=True, capture_output=True)  # noqa: S603, S607  our own words


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two releases, one that is on another branch, and work after them, of one file."""
    where = tmp_path / "history"
    where.mkdir()
    git(where, "init", "--initial-branch=main")
    for tag in ("v0.9.0", "v0.10.0", "v0.11.0-rc.1"):
        (where / "file").write_text(tag)
        git(where, "add", "file")
        git(where, "commit", "--message", tag)
        git(where, "tag", tag)
    git(where, "checkout", "-b", "other")
    git(where, "commit", "--allow-empty", "--message", "elsewhere")
    git(where, "tag", "v2.0.0")
    git(where, "checkout", "main")
    git(where, "commit", "--allow-empty", "--message", "work")
    monkeypatch.setattr(released, "ROOT", where)
    return where


def test_the_newest_release_is_that_of_its_own_history_by_its_numbers(history: Path) -> None:
    assert history.is_dir()
    assert released.newest_tag() == "v0.10.0"


def test_a_file_that_changed_since_is_named_and_one_that_came_is_not(history: Path) -> None:
    (history / "file").write_text("changed")
    (history / "new").write_text("new")
    git(history, "add", "new")

    assert released.changed("v0.10.0", ".") == ["file"]


def test_a_release_is_unpacked_as_it_was(history: Path, tmp_path: Path) -> None:
    assert history.is_dir()

    released.unpack("v0.9.0", tmp_path)

    assert (tmp_path / "file").read_text() == "v0.9.0"


def test_a_clone_without_history_is_told_how_to_get_it(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "clone", "--depth", "1", history.as_uri(), "shallow")
    monkeypatch.setattr(released, "ROOT", tmp_path / "shallow")

    assert released.newest_tag() is None
    assert "git fetch --unshallow --tags" in released.why_none()


def test_a_history_without_a_release_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init")
    git(tmp_path, "commit", "--allow-empty", "--message", "first")
    monkeypatch.setattr(released, "ROOT", tmp_path)

    assert released.newest_tag() is None
    assert released.why_none().startswith("NOTHING WAS RELEASED yet")


def test_what_is_no_clone_knows_no_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(released, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    assert released.newest_tag() is None
    assert "no clone" in released.why_none()
