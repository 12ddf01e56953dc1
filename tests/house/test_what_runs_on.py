"""Processes that run for months carry nothing that only a job of a second, or a choice, needs."""

import subprocess
import sys

import pytest

from handoff.services import SERVICES

_PROGRAM = "import sys, {package}.bootstrap; print([n for n in {jobs} if n in sys.modules])"
_FOR_JOBS = ["alembic", "shared.database.migrate"]
_FOR_SPANS = ["opentelemetry.sdk", "opentelemetry.exporter", "shared.telemetry.exporting"]


@pytest.mark.parametrize("unwanted", [_FOR_JOBS, _FOR_SPANS], ids=["what migrates", "what exports"])
@pytest.mark.parametrize("package", [service.package for service in SERVICES])
def test_no_service_imports_what_it_may_never_need(package: str, unwanted: list[str]) -> None:
    program = _PROGRAM.format(package=package, jobs=unwanted)
    told = subprocess.run(  # noqa: S603  our own words
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )

    assert told.stdout == "[]\n"
