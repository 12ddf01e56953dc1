"""The product and its floor, as processes on the tests' Postgres and Kafka, for benchmarks."""

import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx
from tests.stack.fixtures import DatabaseFor
from tests.stack.running import Stack

from shared.settings import KafkaSettings
from shared.web.keys import new_key

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
PACKAGES = ("marketing_intake", "lead_scoring", "sales_pipeline", "notifier")


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Product:
    """Service processes, begun and ended one by one."""

    stack: Stack
    kafka: KafkaSettings
    databases: Mapping[str, str]
    logs: Path
    processes: dict[tuple[str, str], subprocess.Popen[bytes]] = field(default_factory=dict)
    ports: dict[tuple[str, str], int] = field(default_factory=dict)

    async def start(self, package: str, role: str) -> str:
        """Start one process; return its public URL once it is ready."""
        port, operations = free_port(), free_port()
        environment = {
            **os.environ,
            "HANDOFF_DATABASE_URL": self.databases[package],
            "HANDOFF_KAFKA_BOOTSTRAP": self.kafka.kafka_bootstrap,
            "HANDOFF_KAFKA_REPLICATION": "1",
            "HANDOFF_TOPIC_PREFIX": self.kafka.topic_prefix,
            "HANDOFF_INSTANCE": f"{package}-{role}-{secrets.token_hex(2)}",
            "HANDOFF_HTTP_PORT": str(port),
            "HANDOFF_OPERATIONS_PORT": str(operations),
            "HANDOFF_ERASURE_SECRET": "only-for-tests-" + "0" * 32,
            "HANDOFF_LOG_LEVEL": "warning",
        }
        with (self.logs / f"{package}-{role}.log").open("ab") as log:
            self.processes[package, role] = subprocess.Popen(  # noqa: S603, ASYNC220  our own module
                [sys.executable, "-m", package, role], env=environment, stdout=log, stderr=log
            )
        await ready(f"http://127.0.0.1:{operations}/readyz")
        return f"http://127.0.0.1:{port}"

    async def key(self, package: str, *scopes: str) -> str:
        """Return a new key with these scopes."""
        made = new_key()
        connection = await asyncpg.connect(self.databases[package], ssl=False)
        await connection.execute(
            "SELECT create_api_key($1, $2, 'load', $3, NULL, NULL)",
            made.key_id, made.secret_hash, list(scopes),
        )  # fmt: skip
        await connection.close()
        return made.text

    def stop(self) -> None:
        """End all processes."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(timeout=_STOP_SECONDS)


async def ready(url: str) -> None:
    """Wait until a URL answers 200."""
    async with asyncio.timeout(_START_SECONDS), httpx.AsyncClient() as client:
        while True:
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)


async def make(
    stack: Stack, kafka: KafkaSettings, database_for: DatabaseFor, logs: Path
) -> Product:
    """Return the product on fresh databases, nothing started."""
    databases = {package: await database_for(package) for package in PACKAGES}
    return Product(stack, kafka, databases, logs)


@contextmanager
def floor(name: str) -> Generator[str]:
    """Run a floor during a block; give the URL to post to."""
    port = free_port()
    process = subprocess.Popen(  # noqa: S603  our own module
        [
            sys.executable, "-m", "uvicorn", f"tests.load.floors.{name}:app", "--port", str(port),
            "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning",
        ],
        cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}/leads"
    finally:
        process.terminate()
        process.wait(timeout=_STOP_SECONDS)


def a_lead(number: int, *, source_id: str) -> bytes:
    """Return a body of about 416 bytes; each number is another person."""
    return json.dumps(
        {
            "source_id": source_id,
            "email": f"person.{number}.{secrets.token_hex(4)}@example-company.com",
            "first_name": "Johanna",
            "last_name": "Beispiel",
            "company": "Example Company Limited",
            "job_title": "VP Sales",
            "phone": f"+49301{number % 10_000_000:07d}",
            "page_url": "https://www.example.com/pricing",
            "message": "We would like to see a demo of your product for our team of twenty people.",
        }
    ).encode()
