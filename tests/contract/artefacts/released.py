"""What was released: the newest tag (`v1.2.3`) that the checkout comes from, and files at it."""

import json
import subprocess
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any

from tests.contract.artefacts.files import CONTRACTS, ROOT


def newest_tag() -> str | None:
    """Return the newest release before the checkout, or of it; None where none is known."""
    try:
        tags = _git("tag", "--list", "v[0-9]*", "--merged", "HEAD", "--sort=-version:refname")
    except (OSError, subprocess.CalledProcessError):
        return None
    return next((tag for tag in tags.split() if "-" not in tag), None)  # no candidate: v1.2.0-rc.1


def why_none() -> str:
    """Return why no release is known, and what to do where that is wrong."""
    try:
        shallow = _git("rev-parse", "--is-shallow-repository").strip() == "true"
    except (OSError, subprocess.CalledProcessError):
        return "this is no clone of the repository, so no release is known: clone it with git"
    if shallow:
        return "the history ends before the last release: run `git fetch --unshallow --tags`"
    return "NOTHING WAS RELEASED yet, or no tag was fetched (`git fetch --tags`)"


def changed(tag: str, *paths: str) -> list[str]:
    """Return the files under these paths that were released and are not the same any more."""
    asked = ("diff", "--name-only", "--no-renames", "--diff-filter=a", tag, "--", *paths)
    return _git(*asked).splitlines()


def commit(tag: str) -> str:
    """Return the commit that was released."""
    return _git("rev-list", "-n", "1", tag).strip()


def unpack(tag: str, into: Path) -> None:
    """Write all files of a release into a directory."""
    archive = into / "release.tar"
    _git("archive", "--output", str(archive), tag)
    with tarfile.open(archive) as files:
        files.extractall(into, filter="data")
    archive.unlink()


def documents(tag: str, folder: str) -> dict[PurePosixPath, Any]:
    """Return the released documents of a folder (`schemas`, `samples`), by their path in it."""
    root = PurePosixPath((CONTRACTS / folder).relative_to(ROOT).as_posix())
    paths = _git("ls-tree", "-r", "--name-only", tag, "--", str(root)).splitlines()
    return {
        PurePosixPath(path).relative_to(root): json.loads(_git("show", f"{tag}:{path}"))
        for path in paths
    }


def _git(*words: str) -> str:
    asked = ["git", *words]
    return subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603  our own words
