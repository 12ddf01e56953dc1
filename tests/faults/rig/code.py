"""The code that a scenario runs: the checkout's own, or a copy of it with a planted fault.

A planted fault is a patch under `tests/faults/planted/`: the proof that a scenario can fail.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PLANTED = ROOT / "tests" / "faults" / "planted"
_TREES = ("shared/src", *(f"services/{path.name}/src" for path in (ROOT / "services").iterdir()))


@dataclass(frozen=True)
class Code:
    """Where the services' code is."""

    root: Path = ROOT

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
    for tree in _TREES:
        shutil.copytree(ROOT / tree, into / tree)
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
