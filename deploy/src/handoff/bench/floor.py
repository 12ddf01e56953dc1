"""Starts the floors beside the product: each one uvicorn process, on the same Postgres."""

import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import httpx

from handoff.bench import leads
from handoff.bench.client import Sample, load
from handoff.bench.floors.database import DATABASE
from handoff.bench.installation import Installation
from handoff.bench.leads import Make
from handoff.embedded.ports import LOOPBACK, Ports
from handoff.supervisor.spec import Spec

NOOP, ORM = "noop", "orm"
_UVICORN = (
    "--workers", "1", "--loop", "uvloop", "--http", "httptools", "--no-access-log",
    "--log-level", "warning",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Floor:
    """A floor that runs."""

    url: str
    make: Make

    async def load(self, *, at_once: int, seconds: float) -> Sample:
        """Let so many clients post for some seconds.

        Raises:
            BadAnswers: not every answer was good.
        """
        sample = await load(self.url, self.make, at_once=at_once, seconds=seconds)
        return sample.all_good()


@asynccontextmanager
async def floors(installation: Installation, *names: str) -> AsyncGenerator[list[Floor]]:
    """Run floors for the block; those that keep something have a database for it."""
    ports = Ports(installation.layout.ports)
    async with AsyncExitStack() as stack:
        running: list[Floor] = []
        for name in names:
            await _make_database(installation, name)
            port = ports.claim(f"floor-{name}", installation.fleet.auditor_port)
            await stack.enter_async_context(installation.having(_spec(installation, name, port)))
            url = f"http://{LOOPBACK}:{port}/leads"
            running.append(Floor(url, leads.numbered(url, leads.of_floor(), {})))
        yield running


def database_of(name: str) -> str:
    """Return the name of a floor's database."""
    return f"floor_{name}"


async def _make_database(installation: Installation, name: str) -> None:
    async with installation.opened() as administrator:
        await administrator.execute(f'DROP DATABASE IF EXISTS "{database_of(name)}" WITH (FORCE)')
        await administrator.execute(f'CREATE DATABASE "{database_of(name)}"')


def _spec(installation: Installation, name: str, port: int) -> Spec:
    module = f"handoff.bench.floors.{name}:app"
    return Spec(
        name=f"floor-{name}",
        command=(
            *(sys.executable, "-m", "uvicorn", module, "--host", LOOPBACK, "--port", str(port)),
            *_UVICORN,
        ),
        environment={
            **installation.environ,
            DATABASE: installation.database_url(database_of(name)),
        },
        ready=partial(_answers, f"http://{LOOPBACK}:{port}/openapi.json"),
    )


async def _answers(url: str) -> bool:
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(url)).is_success
    except httpx.TransportError:
        return False
