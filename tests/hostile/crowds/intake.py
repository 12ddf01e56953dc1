"""A process of the intake's API, as hostile crowds meet it, and what it holds because of them."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
from tests.stack.databases import opened
from tests.stack.keys import bearer, make_key
from tests.stack.process import Process
from tests.stack.services import NO_KAFKA, environment, running, service

from handoff.bench.client import request
from handoff.bench.leads import a_lead

_HELD = re.compile(r"^(process_open_fds|handoff_asyncio_tasks) (\S+)$", re.MULTILINE)
_BACKENDS = """
    SELECT count(*) AS all, count(*) FILTER (WHERE state <> 'idle') AS busy
    FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_LOCKS = """
    SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE d.datname = current_database() AND l.pid <> pg_backend_pid()
"""
_STORED = "SELECT key FROM submission WHERE key = ANY($1)"
_SCOPES = ("leads:write", "sources:write", "sources:read")
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Held:
    """What the process and the database hold for whoever is connected.

    Attributes:
        files: open files, but for connections to the database.
        busy: connections to the database on which something runs.
    """

    files: int
    tasks: int
    backends: int
    busy: int
    locks: int


@dataclass
class Intake:
    """The API's process. A request is `before`, nine digits that name it, and `after`."""

    process: Process
    database_url: str
    source_id: str
    headers: dict[str, str]

    @property
    def port(self) -> int:
        return urlsplit(self.process.url).port or 0

    @property
    def url(self) -> str:
        return f"{self.process.url}/v1/leads"

    def lead(self, name: str, **headers: str) -> bytes:
        """Return a request with a lead; those of one name are one submission."""
        body = a_lead(1, source_id=self.source_id)
        return request(self.url, body, {**self.headers, **headers, "Idempotency-Key": name})

    def around(self, name: str) -> dict[str, str]:
        """Return what stands before and after the number in requests of this name."""
        before, _, after = self.lead(f"{name}-NUMBER").decode().partition("NUMBER")
        return {"before": before, "after": after}

    async def stored(self, name: str, numbers: Sequence[int]) -> list[int]:
        """Return which of the numbered requests are stored, each as often as it is."""
        keys = [f"key:{name}-{number:09d}" for number in numbers]
        connection = await asyncpg.connect(self.database_url, ssl=False)
        rows = await connection.fetch(_STORED, keys)
        await connection.close()
        return sorted(int(row["key"].rpartition("-")[2]) for row in rows)

    async def held(self) -> Held:
        """Look."""
        async with httpx.AsyncClient() as client:
            told = (await client.get(f"{self.process.operations_url}/metrics")).text
        found = {name: int(float(value)) for name, value in _HELD.findall(told)}
        connection = await asyncpg.connect(self.database_url, ssl=False)
        backends = await connection.fetchrow(_BACKENDS)
        locks = await connection.fetchval(_LOCKS)
        await connection.close()
        files = found["process_open_fds"] - backends["all"]
        tasks = found["handoff_asyncio_tasks"]
        return Held(files, tasks, backends["all"], backends["busy"], locks)

    def memory(self, *, most: bool = False) -> float:
        """Return what it has of memory in megabytes, or the most that it ever had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        name = "VmHWM" if most else "VmRSS"
        return int(status.partition(f"{name}:")[2].split()[0]) * 1024 / _MEGABYTE

    async def answers(self) -> int:
        """Return the status of one more lead."""
        async with httpx.AsyncClient(headers=self.headers, timeout=30) as client:
            lead = json.loads(a_lead(1, source_id=self.source_id))
            return (await client.post(self.url, json=lead)).status_code


@asynccontextmanager
async def serving(database_url: str, log: Path) -> AsyncGenerator[Intake]:
    """Run the API on a database for the block, warm."""
    told = environment(database_url, NO_KAFKA, "intake", log_level="warning")
    async with opened(database_url) as engine:
        headers = bearer(await make_key(engine, *_SCOPES))
    async with running(service(told, log, "marketing_intake.api")) as process:
        await process.ready()
        intake = Intake(process, database_url, await _source(process, headers), headers)
        for _ in range(50):
            assert await intake.answers() == 202
        yield intake


async def _source(process: Process, headers: dict[str, str]) -> str:
    wanted = {"name": "Hostile", "kind": "api", "channel": "advertising"}
    async with httpx.AsyncClient(headers=headers, timeout=30) as client:
        answer = await client.post(f"{process.url}/v1/sources", json=wanted)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def calm(intake: Intake, before: Held, *, within: float) -> Held:
    """Wait until no more is held than before, at most so many seconds; return what is held."""
    loop = asyncio.get_running_loop()
    until = loop.time() + within
    while True:
        now = await intake.held()
        more = now.files > before.files or now.tasks > before.tasks
        if not (more or now.busy or now.locks) or loop.time() > until:
            return now
        await asyncio.sleep(0.25)
