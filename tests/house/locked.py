"""What the locks of `requirements/` hold, as the tests of the house read them."""

import re
from functools import cache
from pathlib import Path

from packaging.version import Version
from tests.house import code

LOCKS = sorted((code.ROOT / "requirements").glob("*.txt"))
RUN = code.ROOT / "requirements/run.txt"
_ENTRY = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[\w.]+)(?: --hash=sha256:[0-9a-f]{64})+")
_FOLDED = re.compile(r"\s*\\\n\s*")


def entries(lock: Path) -> list[str]:
    """Return what a lock asks for: each entry on one line, without what is said of it."""
    lines = _FOLDED.sub(" ", lock.read_text()).splitlines()
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def unlocked(entries: list[str]) -> list[str]:
    """Return the entries that are not one version with its hashes: links, options, ranges."""
    return [entry for entry in entries if not _ENTRY.fullmatch(entry)]


@cache
def versions(lock: Path) -> dict[str, Version]:
    """Return which version of each package is locked."""
    found = map(_ENTRY.fullmatch, entries(lock))
    return {match["name"]: Version(match["version"]) for match in found if match}
