"""The product and its floor, as processes on the tests' Postgres and Kafka, for benchmarks."""

import asyncio
import json
import secrets
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from tests.stack import databases
from tests.stack.fixtures import DatabaseFor
from tests.stack.keys import make_key
from tests.stack.ports import free_port
from tests.stack.process import Process
from tests.stack.running import Stack
from tests.stack.services import environment, service

from shared.settings import KafkaSettings

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
PACKAGES = ("marketing_intake", "lead_scoring", "sales_pipeline", "notifier")


@dataclass
class Product:
    """Service processes, begun and ended one by one."""

    stack: Stack
    kafka: KafkaSettings
    databases: Mapping[str, str]
    logs: Path
    processes: list[Process] = field(default_factory=list[Process])

    async def start(self, package: str, role: str) -> str:
        """Start one process; return its public URL once it is ready."""
        instance = f"{package}-{role}-{secrets.token_hex(2)}"
        told = environment(self.databases[package], self.kafka, instance, log_level="warning")
        process = service(told, self.logs / f"{package}-{role}.log", package, role)
        self.processes.append(process)
        process.start()
        await process.ready()
        return process.url

    async def key(self, package: str, *scopes: str) -> str:
        """Return a new key with these scopes."""
        async with databases.opened(self.databases[package]) as engine:
            return await make_key(engine, *scopes)

    async def stop(self) -> None:
        """End all processes."""
        codes = await asyncio.gather(*(process.stop() for process in self.processes))
        assert set(codes) <= {0}, codes


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
