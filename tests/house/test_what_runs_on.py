"""Processes that run for months carry nothing that only a job, a choice, or another role needs."""

import subprocess
import sys
from collections.abc import Sequence

import pytest

from handoff.services import SERVICES

_PROGRAM = "import sys, {program}; print([n for n in {unwanted} if n in sys.modules])"
_FOR_JOBS = ["alembic", "shared.database.migrate"]
_FOR_CHOICES = [
    "opentelemetry.sdk",
    "opentelemetry.exporter",
    "shared.telemetry.exporting",
]
_FOR_TERMINALS = ["rich", "pygments"]
_FOR_ROUTES = ["fastapi", "opentelemetry", "email_validator", "shared.web.app"]
_FOR_KAFKA = ["aiokafka", "shared.messaging.worker", "shared.messaging.batch"]


@pytest.mark.parametrize("package", [service.package for service in SERVICES])
@pytest.mark.parametrize(
    ("role", "unwanted"),
    [
        pytest.param("api", _FOR_JOBS + _FOR_CHOICES + _FOR_TERMINALS + _FOR_KAFKA, id="api"),
        pytest.param(
            "worker", _FOR_JOBS + _FOR_CHOICES + _FOR_TERMINALS + _FOR_ROUTES, id="worker"
        ),
        pytest.param("migrate", _FOR_CHOICES + _FOR_ROUTES + _FOR_KAFKA, id="migrate"),
    ],
)
def test_a_role_imports_nothing_that_it_never_needs(
    package: str, role: str, unwanted: Sequence[str]
) -> None:
    program = _PROGRAM.format(program=f"{package}.{role}", unwanted=list(unwanted))
    told = subprocess.run(  # noqa: S603  our own words
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )

    assert told.stdout == "[]\n"
