"""Each process, alone, with the fewest rights and 256 MB: it becomes ready, and ends when told."""

import time
from pathlib import Path

import pytest
from tests.deploy import images
from tests.deploy.composed import Composed

from handoff.services import ROLES, SERVICES, Service
from handoff.site import DATABASE, variable
from shared.limits import POD_GRACE

pytestmark = pytest.mark.timeout(1800)  # the first one waits until all is made
_READY_WITHIN = 120.0
_FEWEST_RIGHTS = (
    *("--read-only", "--tmpfs", "/tmp", "--cap-drop=ALL", "--user", "10001:10001"),  # noqa: S108
    *("--security-opt=no-new-privileges", "--memory", "256m", "--pids-limit", "128"),
)
_KAFKA = {"HANDOFF_KAFKA_BOOTSTRAP": "kafka:9092", "HANDOFF_KAFKA_REPLICATION": "1"}
_READY = "from urllib.request import urlopen as ask; ask('http://127.0.0.1:9000/readyz', timeout=4)"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_process_of_a_service_runs_with_few_rights_and_ends_when_told(
    service: Service, role: str, composed: Composed
) -> None:
    settings = {
        **_KAFKA,
        "HANDOFF_DATABASE_URL_FILE": f"/run/secrets/{service.name}-database",
        "HANDOFF_ERASURE_SECRET_FILE": "/run/secrets/erasure",
    }

    _runs_and_ends(composed, service.name, f"{service.package}.{role}", settings)


def test_operations_runs_with_few_rights_and_ends_when_told(composed: Composed) -> None:
    settings = _KAFKA | {
        f"{variable(DATABASE, service)}_FILE": f"/run/secrets/operations-{service.name}"
        for service in SERVICES
    }

    _runs_and_ends(composed, "operations", "operations", settings)


def _runs_and_ends(system: Composed, target: str, word: str, settings: dict[str, str]) -> None:
    docker = system.engine.docker
    given = [part for name, value in settings.items() for part in ("--env", f"{name}={value}")]
    paths = [Path(value) for name, value in settings.items() if name.endswith("_FILE")]
    files = [f"{system.secrets / path.name}:{path}:ro" for path in paths]
    mounts = [part for file in files for part in ("--volume", file)]
    places = ("--network", system.network, *mounts)
    container = docker(
        "run", "--detach", *_FEWEST_RIGHTS, *places, *given, images.tag(target), word
    )
    try:
        _wait_until_ready(system, container)
        began = time.monotonic()
        docker("stop", "--time", str(int(POD_GRACE)), container)
        took = time.monotonic() - began
        said = docker("inspect", "--format", "{{.State.ExitCode}} {{.State.OOMKilled}}", container)
    finally:
        docker("rm", "--force", container)

    assert said == "0 false"
    assert took < POD_GRACE


def _wait_until_ready(system: Composed, container: str) -> None:
    end = time.monotonic() + _READY_WITHIN
    while system.engine.attempt("exec", container, "python", "-c", _READY).returncode:
        if time.monotonic() > end:
            logs = system.engine.attempt("logs", "--tail", "20", container)
            pytest.fail(f"not ready within {_READY_WITHIN:.0f} s:\n{logs.stdout}{logs.stderr}")
        time.sleep(0.5)
