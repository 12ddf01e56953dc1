"""A service's API as a process, with a key for everything and a record of each kind to be had.

It is started by the first test that asks for it and serves all of them. Kafka is not there.
"""

import json
import os
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.contract.artefacts.samples import SAMPLES
from tests.hostile.attacks.attack import Aim, Attack
from tests.hostile.attacks.samples import Samples
from tests.hostile.attacks.values import CANARY
from tests.hostile.documents import operations
from tests.hostile.ways import resolving
from tests.stack import databases
from tests.stack.keys import bearer, make_key
from tests.stack.process import Process
from tests.stack.running import Stack
from tests.stack.services import NO_KAFKA, environment, running, service
from tests.stack.voices import SINCE_LONG_AGO, Others

from handoff.keys import SCOPES
from lead_scoring.adapters.desks import Desks
from lead_scoring.entrypoints.worker import ScoringHearer
from notifier.entrypoints.worker import NotifierHearer
from sales_pipeline.entrypoints.worker import PipelineHearer
from shared.contracts.catalogue import INTAKE, NOTIFIER, PIPELINE, SCORING
from shared.contracts.deal import DealOpened
from shared.contracts.event import Event
from shared.contracts.lead import LeadCaptured
from shared.contracts.score import LeadQualified
from shared.ids import new_id
from shared.messaging.batch import Batch
from shared.messaging.heard import Hearer

GIVE_UP = 30.0
MOST_GROWTH = 64 * 1024 * 1024
"""Bytes by which a process may have grown after everything: what was freed stays with it."""
_GOOGLE_KEY = "sample"
_HEARD: Mapping[str, tuple[Callable[[], Hearer[Any]], type[Event]]] = {
    SCORING: (lambda: ScoringHearer(Desks()), LeadCaptured),
    PIPELINE: (PipelineHearer, LeadQualified),
    NOTIFIER: (NotifierHearer, DealOpened),
}
"""What a service hears so that there is something in it: a deal, a task, a score."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, and after how many seconds."""

    status: int
    headers: Mapping[str, str]
    text: str
    seconds: float

    def document(self) -> Any:
        """Return the JSON, or None where it is none."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Target:
    """A process to attack."""

    process: Process
    key: str
    client: httpx.AsyncClient
    aim: Aim

    def headers(self, attack: Attack) -> list[tuple[bytes, bytes]]:
        """Return the headers of an attack, with the key unless it brings one of its own."""
        headers = {"Authorization": f"Bearer {self.key}".encode(), **attack.headers}
        return [(name.encode(), value) for name, value in headers.items() if value is not None]

    async def send(self, attack: Attack) -> Answer:
        """Send an attack as it stands, no sign of its address changed."""
        began = time.monotonic()
        answer = await self.client.request(
            attack.operation.method,
            "/",
            headers=self.headers(attack),
            content=attack.body,
            extensions={"target": attack.address.encode()},
        )
        return Answer(answer.status_code, answer.headers, answer.text, time.monotonic() - began)

    def has_logged(self) -> int:
        """Return how much it has logged by now."""
        return self.process.log.stat().st_size

    def wrong_in_log(self, since: int) -> list[str]:
        """Return lines logged since then that tell of a mistake of ours, or of the canary."""
        with self.process.log.open("rb") as log:
            log.seek(since)
            lines = log.read().decode("utf-8", "replace").splitlines()
        return [line for line in lines if CANARY in line.lower() or '"level":"error"' in
                line.replace(" ", "")]  # fmt: skip

    def worked(self) -> float:
        """Return for how many seconds it has kept a processor busy by now (proc_pid_stat(5))."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self, *, most: bool = False) -> int:
        """Return how many bytes of memory it holds, or the most since `begin_anew`."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        name = "VmHWM:" if most else "VmRSS:"
        return int(status.partition(name)[2].split()[0]) * 1024

    def begin_anew(self) -> None:
        """Let the most that it holds count from now on (proc_pid_clear_refs(5))."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


@asynccontextmanager
async def started(stack: Stack, name: str, directory: Path) -> AsyncGenerator[Target]:
    """Run a service's API on a database of its own for the block; it ends in order, not grown."""
    package = name.replace("-", "_")
    url = await databases.make_copy(stack, package)
    process = service(environment(url, NO_KAFKA, name), directory / name, f"{package}.api")
    async with AsyncExitStack() as block:
        block.push_async_callback(databases.drop, stack, url)
        engine = await block.enter_async_context(databases.opened(url))
        await block.enter_async_context(running(process))
        key = await make_key(engine, *SCOPES[name])
        client = httpx.AsyncClient(base_url=process.url, timeout=GIVE_UP)
        await block.enter_async_context(client)
        await _hear(engine, name)
        async with resolving(name, engine):
            aim = await _aim(client, name, key)
        target = Target(process, key, client, aim)
        before = target.resident()
        yield target
        grown = target.resident() - before
        assert grown < MOST_GROWTH, f"{name} grew by {grown / 1024**2:.0f} MB"


async def _hear(engine: AsyncEngine, name: str) -> None:
    if name in _HEARD:
        hearer, kind = _HEARD[name]
        event = next(event for event in SAMPLES if type(event) is kind)
        await Others(Batch(engine, hearer(), SINCE_LONG_AGO)).say(event)


async def _aim(client: httpx.AsyncClient, name: str, key: str) -> Aim:
    """Return the ids of what is there: the first record of each list, and what the intake has."""
    known, ids = await _taken_in(client, key) if name == INTAKE else ({}, {})
    return Aim(Samples(name, known), await _first_of_each_list(client, name, key) | ids)


async def _taken_in(client: httpx.AsyncClient, key: str) -> tuple[dict[str, str], dict[str, str]]:
    """Have sources, a lead, and one that may be erased; return ids by field, and by address."""
    form = await _source(client, key, kind="form")
    ads = await _source(client, key, kind="google_ads", google_key=_GOOGLE_KEY)
    source = (await _source(client, key, kind="api"))["id"]
    erased, lead = await _lead(client, key, source), await _lead(client, key, source)
    ids = {
        "/v1/forms/{token}": form["token"],
        "/v1/in/{token}": ads["token"],
        "/v1/leads/{lead_id}": lead,
        "DELETE /v1/leads/{lead_id}": erased,
    }
    return {"source_id": source}, ids


async def _lead(client: httpx.AsyncClient, key: str, source_id: str) -> str:
    lead = {"email": f"{new_id()}@example.com", "source_id": source_id}
    answer = await client.post("/v1/leads", json=lead, headers=bearer(key) | {"Prefer": "wait=20"})
    assert answer.status_code == 201, answer.text
    return answer.json()["lead_id"]


async def _source(client: httpx.AsyncClient, key: str, **fields: str) -> dict[str, Any]:
    source = {"name": "a source", "channel": "direct", **fields}
    answer = await client.post("/v1/sources", json=source, headers=bearer(key))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def _first_of_each_list(client: httpx.AsyncClient, name: str, key: str) -> dict[str, str]:
    ids: dict[str, str] = {}
    for operation in operations():
        parent, _, parameter = operation.path.rpartition("/")
        if operation.service == name and parameter.startswith("{") and operation.method == "GET":
            answer = await client.get(parent, headers=bearer(key))
            if answer.is_success and (items := answer.json()["items"]):
                ids[operation.path] = items[0]["id"]
    return ids
