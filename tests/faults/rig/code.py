"""The code that a scenario runs: the checkout's own, a copy with something planted, or a release.

A planted fault is a patch under `tests/faults/planted/`: the proof that a scenario can fail.
"""

import compileall
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.contract.artefacts import released

ROOT = Path(__file__).resolve().parents[3]
PLANTED = ROOT / "tests" / "faults" / "planted"
_RELEASES = ROOT / ".build" / "releases"
_LOCK = "requirements/run.txt"
_TREES = ("shared/src", *(f"services/{path.name}/src" for path in (ROOT / "services").iterdir()))


@dataclass(frozen=True)
class Code:
    """Where the services' code is, and the Python with the libraries that it runs on."""

    root: Path = ROOT
    python: str = sys.executable

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process run this code: it comes before what is installed."""
        if self.root == ROOT:
            return {}
        return {"PYTHONPATH": os.pathsep.join(str(self.root / tree) for tree in _TREES)}


def plant(*patches: str, into: Path) -> Code:
    """Return a copy of the code with these patches applied.

    What Python compiled of it goes along: it holds for the files that no patch touches.

    Raises:
        subprocess.CalledProcessError: a patch no longer fits the code that it is for.
    """
    _copy(into)
    for name in patches:
        subprocess.run(  # noqa: S603  our own patches
            ["git", "apply", str(PLANTED / f"{name}.patch")],  # noqa: S607
            cwd=into,
            env={**os.environ, "GIT_CEILING_DIRECTORIES": str(into.parent)},
            check=True,
            capture_output=True,
            text=True,
        )
    return Code(into)


def expand(*, into: Path) -> Code:
    """Return a copy of the code whose tables have additions to those of the checkout."""
    _copy(into)
    for versions in into.glob("services/*/src/*/migrations/versions"):
        shutil.copytree(PLANTED / "migrations", versions, dirs_exist_ok=True)
    return Code(into)


def former(*, into: Path) -> tuple[str, Code]:
    """Return what came before the checkout, and what to call it: the newest release.

    Where none is known, a copy of the checkout takes its place, so that there are two all the same.
    """
    tag = released.newest_tag()
    if tag is not None:
        return tag, release(tag)
    print(f"no release to upgrade from: {released.why_none()}")
    return "a copy of this code, for want of a release", plant(into=into)


def release(tag: str) -> Code:
    """Return the code of a release, on the libraries that it was locked to.

    Where that are those of the checkout, the environment that runs the tests has them already.
    Else it gets one of its own by its own `make setup`, once.
    """
    root = _RELEASES / released.commit(tag)
    if not root.exists():
        unfinished = root.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        released.unpack(tag, unfinished)
        unfinished.rename(root)
        compileall.compile_dir(root, quiet=1)
    if (root / _LOCK).read_text() == (ROOT / _LOCK).read_text():
        return Code(root)
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    subprocess.run(["make", "setup"], cwd=root, env=environment, check=True)  # noqa: S607
    return Code(root, str(root / ".venv/bin/python"))


def _copy(into: Path) -> None:
    for tree in _TREES:
        shutil.copytree(ROOT / tree, into / tree)
