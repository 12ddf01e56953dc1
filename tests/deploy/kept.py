"""Where what takes long to get or to make is kept, outside of every clone."""

import os
import subprocess
import sys
from pathlib import Path


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
