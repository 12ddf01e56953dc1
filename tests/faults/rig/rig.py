"""A scenario's own installation: fresh databases and topics on the run's Postgres and Kafka.

Its processes are real ones, as few as the scenario needs; whatever it started, it ends.
"""

import asyncio
import secrets
import socket
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from tests.faults.rig.code import Code
from tests.stack import databases
from tests.stack.keys import bearer
from tests.stack.process import Process
from tests.stack.running import Stack
from tests.stack.services import environment, service
from tests.stack.topics import drop

from shared.kafka import topics
from shared.settings import KafkaSettings
from shared.web.keys import new_key

SERVICES = ("marketing_intake", "lead_scoring", "sales_pipeline", "notifier")
SCOPES = (
    *("leads:write", "leads:read", "sources:write", "scores:read", "rules:write", "deals:read"),
    *("deals:write", "reps:write", "tasks:read", "tasks:write", "operate"),
)


@dataclass
class Rig:
    """Databases by service (named by its package), topics, processes by name."""

    stack: Stack
    kafka: KafkaSettings
    urls: dict[str, str]
    code: Code
    logs: Path
    connections: dict[str, asyncpg.Connection] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def kills(self) -> int:
        """How many SIGKILLs its processes have died of."""
        return sum(process.kills for process in self.processes.values())

    def process(
        self, package: str, role: str = "worker", *, number: int = 0, **settings: str
    ) -> Process:
        """Return a process of a service, not started; settings as in `crash_at="..."`."""
        name = f"{package}-{role}-{number}"
        told = environment(self.urls[package], self.kafka, name, **settings)
        self.processes[name] = service(
            {**told, **self.code.environment},
            self.logs / f"{name}.log",
            f"{package}.{role}",
            kept=True,
            python=self.code.python,
        )
        return self.processes[name]

    def api(self, package: str, door: socket.socket, *, number: int = 0) -> Process:
        """Return an API process that listens, beside others, on a socket of the test's."""
        process = self.process(package, "api", number=number, http_fd=str(door.fileno()))
        process.inherited = (door.fileno(),)
        process.url = f"http://127.0.0.1:{door.getsockname()[1]}"
        return process

    async def start(self, service: str, role: str = "worker", **options: Any) -> Process:
        """Start a process of a service and wait until it is ready."""
        process = self.process(service, role, **options)
        process.start()
        await process.ready()
        return process

    async def database(self, service: str) -> asyncpg.Connection:
        """Return the scenario's own connection to a service's database."""
        if service not in self.connections or self.connections[service].is_closed():
            self.connections[service] = await asyncpg.connect(self.urls[service], ssl=False)
        return self.connections[service]

    async def ask(self, service: str, sql: str, *values: object) -> list[asyncpg.Record]:
        """Return the rows of a query; several tasks may ask at once."""
        async with self.asking:
            return await (await self.database(service)).fetch(sql, *values)

    async def one(self, service: str, sql: str, *values: object) -> Any:
        """Return the value of a query that has one."""
        async with self.asking:
            return await (await self.database(service)).fetchval(sql, *values)

    async def client(self, process: Process, **options: Any) -> httpx.AsyncClient:
        """Return a client of an API process, with a key for everything."""
        service = process.name.partition("-")[0]
        made = new_key()
        await self.ask(
            service,
            "SELECT create_api_key($1, $2, 'a scenario', $3, NULL, NULL)",
            made.key_id,
            made.secret_hash,
            list(SCOPES),
        )
        headers = bearer(made.text)
        return httpx.AsyncClient(base_url=process.url, headers=headers, timeout=20, **options)

    async def close(self) -> None:
        """End all processes and connections."""
        await asyncio.gather(*(process.die() for process in self.processes.values()))
        for connection in self.connections.values():
            await connection.close(timeout=5)


@asynccontextmanager
async def rigged(
    stack: Stack,
    logs: Path,
    services: Collection[str],
    code: Code | None = None,
    kafka: KafkaSettings | None = None,
    *,
    migrated: bool = True,
) -> AsyncGenerator[Rig]:
    """Make a rig for the block: fresh databases of these services, and all topics.

    `kafka`: brokers of the scenario's own, which take the topics with them when they go.
    `migrated`: whether the databases have the tables of the checkout, or none yet.
    """
    settings = kafka or stack.kafka(f"f{secrets.token_hex(4)}.")
    make = databases.make_copy if migrated else databases.make_empty
    made = await asyncio.gather(*(make(stack, service) for service in services))
    await topics.apply(settings)
    rig = Rig(stack, settings, dict(zip(services, made, strict=True)), code or Code(), logs)
    try:
        yield rig
    finally:
        await rig.close()
        await asyncio.gather(*(databases.drop(stack, url) for url in made))
        if kafka is None:
            await drop(settings)
