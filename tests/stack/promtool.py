"""Prometheus' own tool for rules: the machine's, or Debian's, unpacked into our cache."""

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

_SECONDS = 120


class NotToBeHad(Exception):
    """Neither the machine nor Debian's packages have it."""


@cache
def promtool() -> Path:
    """Return the program.

    Raises:
        NotToBeHad: and why.
    """
    if found := shutil.which("promtool"):
        return Path(found)
    kept = _cache() / "promtool"
    if not kept.exists():
        _unpack(kept)
    return kept


def _cache() -> Path:
    chosen = os.environ.get("XDG_CACHE_HOME")
    return Path(chosen or Path.home() / ".cache") / "handoff" / "prometheus"


def _unpack(kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as place:
        try:
            _run("apt-get", "download", "prometheus", place=place)
            (package,) = Path(place).glob("*.deb")
            _run("dpkg", "-x", package.name, "out", place=place)
            (Path(place) / "out" / "usr" / "bin" / "promtool").replace(kept)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise NotToBeHad(f"Debian's package prometheus is not to be had: {error}") from None


def _run(*command: str, place: str) -> None:
    subprocess.run(command, cwd=place, check=True, capture_output=True, timeout=_SECONDS)  # noqa: S603  our own words
