"""Where what takes long to get or to make is kept, outside of every clone."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from tests.stack.running import alone


def cache() -> Path:
    """Return the directory."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "handoff"


def tool(requirement: str, command: str) -> Path:
    """Return a tool from PyPI, installed in an environment of its own when first asked for."""
    place = cache() / "tools" / requirement.replace("==", "-")
    if not (place / "bin" / command).exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)  # noqa: S603
        install = [str(place / "bin/pip"), "install", "--quiet", requirement]
        subprocess.run(install, check=True)  # noqa: S603
    return place / "bin" / command


async def made(name: str, make: Callable[[Path], Awaitable[object]]) -> Path:
    """Return a directory of the cache; who first asks for it fills it, others wait meanwhile."""
    place = cache() / name
    with _missing(place) as missing:
        if missing:
            with _to_become(place) as unfinished:
                await make(unfinished)
    return place


@contextmanager
def _missing(place: Path) -> Generator[bool]:
    place.parent.mkdir(parents=True, exist_ok=True)
    with alone(place.with_name(f"{place.name}.lock")):
        yield not place.exists()


@contextmanager
def _to_become(place: Path) -> Generator[Path]:
    """Give a directory to fill; only one that was filled without an error gets the name."""
    unfinished = Path(tempfile.mkdtemp(prefix=f"{place.name}-", dir=place.parent))
    try:
        yield unfinished
        unfinished.chmod(0o755)
        unfinished.rename(place)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
