"""The place among the kernel's control groups for all that runs on the node; gone with it."""

import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_EMPTY_WITHIN = 10.0


@contextmanager
def a_cgroup(name: str) -> Generator[None]:
    """Make one in every hierarchy: version 2 has one, version 1 one for each kind of resource."""
    places = [each / name for each in _hierarchies()]
    for place in places:
        place.mkdir()
        _open(place)
    try:
        yield
    finally:
        for place in places:
            _remove(place)


def _hierarchies() -> list[Path]:
    if (_ROOT / "cgroup.controllers").exists():
        return [_ROOT]
    return [each for each in _ROOT.iterdir() if each.is_dir() and not each.is_symlink()]


def _open(place: Path) -> None:
    """Let a group have what its parent has: version 1 gives it no processors by itself."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (place / name).exists() and not (place / name).read_text().strip():
            shutil.copyfile(place.parent / name, place / name)
    if (controllers := place.parent / "cgroup.controllers").exists():
        words = " ".join(f"+{each}" for each in controllers.read_text().split())
        (place.parent / "cgroup.subtree_control").write_text(words)


def _remove(place: Path) -> None:
    """Take a group away with all in it, once the last of its processes is gone."""
    end = time.monotonic() + _EMPTY_WITHIN
    while place.exists() and time.monotonic() < end:
        inner = sorted((each for each in place.rglob("*") if each.is_dir()), reverse=True)
        with suppress(OSError):
            for each in (*inner, place):
                each.rmdir()
        time.sleep(0.1)
