"""Processes that run for months carry nothing that only a job of a second needs."""

import subprocess
import sys

import pytest

from handoff.services import SERVICES

_PROGRAM = "import sys, {package}.bootstrap; print([n for n in {jobs} if n in sys.modules])"
_FOR_JOBS = ["alembic", "shared.database.migrate"]


@pytest.mark.parametrize("package", [service.package for service in SERVICES])
def test_no_service_imports_what_migrates(package: str) -> None:
    program = _PROGRAM.format(package=package, jobs=_FOR_JOBS)
    told = subprocess.run(  # noqa: S603  our own words
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )

    assert told.stdout == "[]\n"
