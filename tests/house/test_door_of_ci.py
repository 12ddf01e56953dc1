"""Continuous integration runs both halves, says how long each took, and keeps to an hour."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.house import code

DOOR = ".ci/run"
_MAKE = '#!/bin/sh\necho "$1" >> ran\n[ "$1" != "$BROKEN" ] || exit 2\n'
_DATE = "#!/bin/sh\nread -r first < times\nsed -i 1d times\necho $first\n"
"""A clock that tells, one after the other, the times that stand in a file."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / ".ci").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(code.ROOT / DOOR, tmp_path / DOOR)
    for name, script in (("make", _MAKE), ("date", _DATE)):
        (tmp_path / "bin" / name).write_text(script)
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def run(tree: Path, *times: int, broken: str = "") -> subprocess.CompletedProcess[str]:
    (tree / "times").write_text("".join(f"{each}\n" for each in times))
    path = f"{tree / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(  # noqa: S603  our own script
        [tree / DOOR], env={"PATH": path, "BROKEN": broken},
        cwd="/", capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_both_halves_run_and_each_says_how_long_it_took(tree: Path) -> None:
    said = run(tree, 100, 1300, 1300, 3700)

    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout == "make test: 1200 s\nmake test-deploy: 2400 s\ntogether: 3600 s\n"
    assert (tree / "ran").read_text() == "test\ntest-deploy\n"


def test_what_takes_longer_than_an_hour_fails_with_a_sentence(tree: Path) -> None:
    said = run(tree, 100, 1300, 1300, 3701)

    assert said.returncode == 1
    assert said.stdout.endswith("together: 3601 s\n")
    assert "took longer than the 3600 s" in said.stderr


@pytest.mark.parametrize("half", ["test", "test-deploy"])
def test_a_half_that_does_not_hold_fails(tree: Path, half: str) -> None:
    said = run(tree, 0, 1, 1, 2, broken=half)

    assert said.returncode == 2
    assert "together" not in said.stdout
