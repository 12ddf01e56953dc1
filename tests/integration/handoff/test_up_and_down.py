"""`handoff up` and its companions, with real Postgres and Kafka and stand-ins for the services."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
import pytest
from tests.integration.handoff.stand_in import VERSION
from tests.stack.running import make_directory, scatter_ports

from handoff.layout import Layout, find_layout
from handoff.services import ROLES, SERVICES
from handoff.state import SystemState, read_state

_STAND_IN = Path(__file__).with_name("stand_in.py")
_PORTS = [f"{service.name}-{role}-0-operations" for service in SERVICES for role in ROLES]
_RUNS_AGAIN_WITHIN = 1.0
_UP = ("up", "--detach", "--replicas", "lead-scoring=2")


class Installation:
    """A `handoff` of its own: other ports, other data, stand-ins for services."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for service in SERVICES:
            package = directory / "stand_ins" / service.package
            versions = package / "migrations" / "versions"
            versions.mkdir(parents=True)
            (versions / f"2026_11_23_{VERSION}_stand_in.py").touch()
            for each in (package, versions.parent, versions):
                (each / "__init__.py").touch()
            for program in ("api.py", "worker.py", "migrate.py"):
                shutil.copyfile(_STAND_IN, package / program)
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(directory / "stand_ins"),
            "HANDOFF_RUN_DIR": str(directory / "run"),
            "HANDOFF_TOPIC_PREFIX": "trial.",
            "HANDOFF_SILENCE_SECONDS": "6",
        }
        self.layout: Layout = find_layout(self.environment)
        scatter_ports(self.layout.ports, _PORTS)

    def handoff(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603  our own command
            [sys.executable, "-m", "handoff", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    def status(self) -> dict[str, Any]:
        return json.loads(self.handoff("status", "--json").stdout)

    def is_ready(self) -> bool:
        """Tell whether all of it is ready: what was killed comes back in a moment."""
        return self.handoff("doctor").returncode == 0

    def state(self) -> SystemState:
        state = read_state(self.layout)
        assert state is not None
        return state


@pytest.fixture(scope="module")
def installation() -> Generator[Installation]:
    directory = make_directory()
    made = Installation(directory)
    up = made.handoff(*_UP)
    assert up.returncode == 0, up.stdout + up.stderr
    yield made
    down = made.handoff("down")
    shutil.rmtree(directory)
    assert down.returncode == 0, down.stdout + down.stderr


def wait_for(answer: Callable[[], bool], limit: float = 20.0) -> float:
    began = time.monotonic()
    while not answer():
        assert time.monotonic() - began < limit
        time.sleep(0.02)
    return time.monotonic() - began


def environment_of(url: str) -> dict[str, str]:
    return dict(httpx.get(url, trust_env=False).json()["environment"])


def children_of(installation: Installation) -> list[psutil.Process]:
    lock = json.loads(installation.layout.lock.read_text())
    return psutil.Process(lock["pid"]).children(recursive=True)


def test_status_shows_every_process(installation: Installation) -> None:
    wait_for(installation.is_ready)
    shown = installation.status()

    assert shown["state"] == "running"
    roles = {
        name: [process["role"] for process in service["processes"]]
        for name, service in shown["services"].items()
    }
    assert roles == {
        "marketing-intake": ["api", "worker"],
        "lead-scoring": ["api", "api", "worker", "worker"],
        "sales-pipeline": ["api", "worker"],
        "notifier": ["api", "worker"],
    }
    assert psutil.pid_exists(shown["operations"]["pid"])


def test_status_for_people_says_what_one_node_cannot_promise(installation: Installation) -> None:
    answer = installation.handoff("status")

    assert "lead-scoring-worker-1" in answer.stdout
    assert "replication 1" in answer.stdout


def test_a_process_is_told_what_it_needs_to_know(installation: Installation) -> None:
    service = installation.state().services["notifier"]
    given = environment_of(service.url)

    assert given["HANDOFF_DATABASE_URL"] == service.database
    assert given["HANDOFF_KAFKA_BOOTSTRAP"] == installation.state().kafka.bootstrap
    assert given["HANDOFF_INSTANCE"] == "notifier-api-0"
    assert given["HANDOFF_TOPIC_PREFIX"] == "trial."
    assert len(given["HANDOFF_ERASURE_SECRET"]) >= 32


async def test_the_operations_role_may_look_into_each_database(installation: Installation) -> None:
    for service in installation.state().services.values():
        connection = await asyncpg.connect(service.operations_database)
        role = await connection.fetchval("SELECT current_user")
        await connection.close()

        assert role == "operations"


def test_the_topics_are_made_and_checked(installation: Installation) -> None:
    answer = installation.handoff("topics", "check")

    assert (answer.returncode, answer.stdout) == (0, "All topics are as they should be.\n")


def test_a_second_up_says_that_one_is_running(installation: Installation) -> None:
    answer = installation.handoff("up")

    assert answer.returncode == 1
    assert "running already" in answer.stderr


def test_doctor_finds_every_process_ready(installation: Installation) -> None:
    answer = installation.handoff("doctor")

    assert answer.returncode == 0
    assert "notifier-worker-0: ready" in answer.stdout
    assert "operations: ready" in answer.stdout


@pytest.mark.parametrize("role", ["api", "worker"])
def test_a_killed_process_of_a_service_is_back_at_once(
    installation: Installation, role: str
) -> None:
    def now() -> tuple[int | None, int]:
        processes = installation.state().services["notifier"].processes
        [process] = [each for each in processes if each.role == role]
        return process.pid, process.restarts

    pid, restarts = now()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    took = wait_for(lambda: now()[0] not in {None, pid})

    assert took < _RUNS_AGAIN_WITHIN
    assert now()[1] == restarts + 1


def test_a_process_of_a_service_that_stands_still_is_replaced(installation: Installation) -> None:
    def now() -> tuple[int | None, int]:
        [_, process] = installation.state().services["marketing-intake"].processes
        return process.pid, process.restarts

    wait_for(installation.is_ready)  # one that is not ready yet has longer to become it
    pid, restarts = now()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)

    wait_for(lambda: now()[0] not in {None, pid}, 40.0)

    assert now()[1] == restarts + 1


def test_the_auditing_process_is_replaced_when_it_stands_still(installation: Installation) -> None:
    def now() -> tuple[int | None, int]:
        operations = installation.state().operations
        assert operations is not None
        return operations.pid, operations.restarts

    wait_for(installation.is_ready)  # one that is not ready yet has longer to become it
    pid, restarts = now()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)

    wait_for(lambda: now()[0] not in {None, pid}, 40.0)

    assert now()[1] == restarts + 1


def test_a_killed_kafka_is_back_at_once_and_answers_soon(installation: Installation) -> None:
    before = installation.state().kafka
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)

    took = wait_for(lambda: installation.state().kafka.pid not in {None, before.pid})

    assert took < _RUNS_AGAIN_WITHIN
    assert installation.state().kafka.restarts == before.restarts + 1
    wait_for(lambda: installation.handoff("topics", "check").returncode == 0)


async def test_a_killed_postgres_is_back_at_once_with_its_data(installation: Installation) -> None:
    url = installation.state().services["notifier"].database
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    await connection.close()
    before = installation.state().postgres
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)

    took = wait_for(lambda: installation.state().postgres.pid not in {None, before.pid})

    assert took < _RUNS_AGAIN_WITHIN
    assert await _read_when_up(url, "SELECT one FROM kept") == 1


async def test_no_request_is_refused_while_an_api_is_started_again(
    installation: Installation,
) -> None:
    service = installation.state().services["sales-pipeline"]
    pids: set[int] = set()
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        for attempt in range(40):
            if attempt == 10:
                api = next(each.pid for each in service.processes if each.role == "api")
                assert api is not None
                os.kill(api, signal.SIGKILL)
            pids.add((await client.get(service.url)).json()["pid"])

    assert len(pids) == 2


def test_a_service_is_scaled_while_all_of_it_runs(installation: Installation) -> None:
    def names() -> dict[str, int | None]:
        services = installation.state().services.values()
        return {each.name: each.pid for service in services for each in service.processes}

    wait_for(installation.is_ready)
    before = names()
    more = installation.handoff("scale", "notifier=3")
    scaled = names()
    fewer = installation.handoff("scale", "notifier=1")

    assert (more.returncode, fewer.returncode) == (0, 0), more.stderr + fewer.stderr
    assert scaled.keys() - before.keys() == {
        f"notifier-{role}-{number}" for role in ROLES for number in (1, 2)
    }
    assert before.items() <= scaled.items()
    assert names() == before


def test_up_and_scale_go_on_beside_a_service_that_waits_for_a_person(
    installation: Installation,
) -> None:
    down = installation.handoff("down")
    held = installation.directory / "stand_ins" / "notifier" / "held"
    held.touch()
    up = installation.handoff(*_UP)
    scaled = installation.handoff("scale", "notifier=1")
    found = installation.handoff("doctor")
    held.unlink()

    assert (down.returncode, up.returncode, scaled.returncode) == (0, 0, 0), up.stdout + up.stderr
    assert "notifier-worker-0: loop consume: breaker; see docs" in up.stdout + up.stderr
    assert found.returncode == 1
    assert installation.is_ready()


def test_down_ends_every_process_and_up_finds_the_same_places(installation: Installation) -> None:
    before = installation.state()
    children = children_of(installation)
    down = installation.handoff("down")
    alive = [child for child in children if child.is_running()]
    stopped = installation.handoff("status", "--json")
    up = installation.handoff(*_UP)

    assert down.returncode == 0
    assert alive == []
    assert (stopped.returncode, json.loads(stopped.stdout)["state"]) == (1, "stopped")
    assert up.returncode == 0, up.stdout + up.stderr
    after = installation.state()
    assert after.kafka.bootstrap == before.kafka.bootstrap
    assert after.services["notifier"].url == before.services["notifier"].url


def test_an_unknown_service_is_wrong_use(installation: Installation) -> None:
    answer = installation.handoff("up", "--replicas", "scoring=2")

    assert answer.returncode == 2
    assert "lead-scoring" in answer.stderr


async def _read_when_up(url: str, question: str) -> Any:
    async with asyncio.timeout(20):
        while True:
            try:
                connection = await asyncpg.connect(url, timeout=2)
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.1)
                continue
            answer = await connection.fetchval(question)
            await connection.close()
            return answer
