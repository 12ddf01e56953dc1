"""What the journeys share: the four doors, and waiting for what happens behind them."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from tests.stack.system import System

T = TypeVar("T")
_PATIENCE = 20.0


@dataclass
class Doors:
    """A client for each service."""

    intake: httpx.AsyncClient
    scoring: httpx.AsyncClient
    pipeline: httpx.AsyncClient
    notifier: httpx.AsyncClient


@asynccontextmanager
async def doors(system: System) -> AsyncGenerator[Doors]:
    """Open all four."""
    async with AsyncExitStack() as clients:
        names = ("marketing-intake", "lead-scoring", "sales-pipeline", "notifier")
        opened = [await clients.enter_async_context(system.client(name)) for name in names]
        yield Doors(*opened)


async def eventually(ask: Callable[[], Awaitable[T]], *, seconds: float = _PATIENCE) -> T:
    """Ask again until the answer is true; return it."""
    async with asyncio.timeout(seconds):
        while not (answer := await ask()):
            await asyncio.sleep(0.05)
    return answer


async def items(client: httpx.AsyncClient, path: str, **filters: str) -> list[dict[str, Any]]:
    """Return the first page of a list."""
    answer = await client.get(path, params=filters)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def a_source(intake: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    """Make a source."""
    body = {"name": "Website", "kind": "api", "channel": "content"} | fields
    answer = await intake.post("/v1/sources", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def a_rep(pipeline: httpx.AsyncClient, name: str = "Ann") -> dict[str, Any]:
    """Make an active rep."""
    body = {"name": name, "email": f"{secrets.token_hex(4)}@example.com"}
    answer = await pipeline.post("/v1/reps", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def somebody(**fields: Any) -> dict[str, Any]:
    """Return a lead that the default scorecard qualifies."""
    return {
        "email": f"jo.{secrets.token_hex(5)}@acme-industries.com",
        "first_name": "Jo",
        "last_name": "Miller",
        "company": "Acme Industries",
        "job_title": "VP Sales",
        "country": "US",
        "message": "Please show us a demo",
        "page_url": "https://www.example.com/pricing",
    } | fields


async def capture(intake: httpx.AsyncClient, lead: dict[str, Any]) -> str:
    """Post a lead and wait for its outcome; return its id."""
    answer = await intake.post("/v1/leads", json=lead, headers={"Prefer": "wait=10"})
    assert answer.status_code in (200, 201), answer.text
    return answer.json()["lead_id"]
