"""The schemas and samples as they were at the newest release tag (`v1.2.3`), out of git."""

import json
import subprocess
from pathlib import PurePosixPath
from typing import Any

from tests.contract.artefacts.files import CONTRACTS, ROOT


def newest_tag() -> str | None:
    """Return the newest release; None where there is none, or no git to ask."""
    try:
        tags = _git("tag", "--list", "v[0-9]*", "--sort=-version:refname")
    except (OSError, subprocess.CalledProcessError):
        return None
    return next(iter(tags.split()), None)


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
