"""The faults that tests plant in copies of the product still fit the product as it is."""

import subprocess
from pathlib import Path

import pytest
from tests.house import code

PATCHES = sorted((code.ROOT / "tests/faults/planted").rglob("*.patch"))


@pytest.mark.parametrize("patch", PATCHES, ids=[path.stem for path in PATCHES])
def test_a_planted_fault_fits_the_code_that_it_is_for(patch: Path) -> None:
    answer = subprocess.run(  # noqa: S603  our own patches
        ["git", "apply", "--check", str(patch)],  # noqa: S607
        cwd=code.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
