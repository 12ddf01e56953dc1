"""Every route of the four services while its database is gone, or gives no answer (D1, D4).

Real processes; all routes are asked at once, so that the whole takes about one limit.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
import pytest
from tests.faults.rig.between import between
from tests.faults.rig.proxy import Proxy
from tests.faults.rig.rig import SERVICES, Rig, rigged
from tests.hostile.keyed import Route
from tests.hostile.written import PLAYBOOK, SCORECARD, SOURCE
from tests.stack.ports import free_port
from tests.stack.process import Process
from tests.stack.running import Stack
from tests.stack.waiting import until

from shared import limits
from shared.ids import new_id
from shared.web import keys

WRONG, UNAVAILABLE = 500, 503
AFTER_THE_LIMIT = 3.0
"""Seconds: the driver may close a connection whose request was ended, and this machine is busy."""

_ANEW = httpx.Limits(max_keepalive_connections=0)
"""A connection for each request: an old one may be closed, for its age, just when it is taken."""

_AS_USUAL = 8

_ID, _SOURCE = str(new_id()), str(new_id())
BODIES: Mapping[str, Mapping[str, Any]] = {
    "POST /v1/leads": {"email": "ada@example.com", "source_id": _SOURCE},
    "POST /v1/leads/batch": {"items": [{"email": "ada@example.com", "source_id": _SOURCE}]},
    "POST /v1/forms/{token}": {"email": "ada@example.com"},
    "POST /v1/in/{token}": {"google_key": "a"},
    "POST /v1/leads/{lead_id}/consents": {"purpose": "newsletter", "granted": True},
    "POST /v1/leads/{lead_id}/merge": {"into": _ID},
    "POST /v1/touchpoints": {"lead_id": _ID, "kind": "click", "source_id": _SOURCE},
    "POST /v1/sources": SOURCE,
    "PATCH /v1/sources/{source_id}": {"name": "Another"},
    "POST /v1/scorecards": SCORECARD,
    "PATCH /v1/scorecards/{scorecard_id}": {"name": "Another"},
    "PATCH /v1/deals/{deal_id}": {"amount_minor": 1, "currency": "EUR"},
    "POST /v1/deals/{deal_id}/accept": {},
    "POST /v1/deals/{deal_id}/recycle": {"reason": "later"},
    "POST /v1/deals/{deal_id}/lose": {"reason": "price"},
    "POST /v1/deals/{deal_id}/stage": {"stage": "demo"},
    "POST /v1/deals/{deal_id}/reassign": {"owner_id": _ID},
    "POST /v1/deals/{deal_id}/win": {"amount_minor": 1, "currency": "EUR"},
    "POST /v1/deals/{deal_id}/activities": {"kind": "call"},
    "POST /v1/reps": {"name": "Ada", "email": "ada@sales.example"},
    "PATCH /v1/reps/{rep_id}": {"name": "Ada"},
    "POST /v1/playbooks": PLAYBOOK,
    "PATCH /v1/playbooks/{playbook_id}": {"name": "Another"},
    "POST /v1/tasks/{task_id}/snooze": {"until": "2030-01-01T00:00:00Z"},
    "POST /v1/tasks/{task_id}/reassign": {"owner_id": _ID},
    "POST /v1/parked/{subject}/discard": {"reason": "tests"},
    "POST /v1/parked/release": {"cause": "KeyError"},
    "POST /v1/replays": {"verb": "republish", "since": "2026-01-01T00:00:00Z", "dry_run": True},
}


@dataclass(frozen=True, slots=True)
class Answered:
    """What a route answered, and when."""

    status: int
    seconds: float
    retry_after: str | None = None

    @property
    def is_wrong(self) -> bool:
        """Whether it is a 5xx that nobody may answer, or too late."""
        unannounced = self.status >= WRONG and self.retry_after is None
        return unannounced or self.seconds > limits.HANDLER + AFTER_THE_LIMIT


@dataclass
class Edge:
    """The API of each service behind a proxy, with a client that may do all."""

    rig: Rig
    proxy: Proxy
    doors: dict[str, Process]
    clients: dict[str, httpx.AsyncClient]
    routes: dict[str, list[Route]] = field(default_factory=dict[str, list[Route]])
    parts: dict[str, str] = field(default_factory=dict[str, str])

    async def ask_all(self, *, at_once: int = 1_000) -> dict[str, Answered]:
        """Ask at every route of every service, in a way that needs the database."""
        asked = [(service, route) for service in self.routes for route in self.routes[service]]
        free = asyncio.Semaphore(at_once)

        async def ask(service: str, route: Route) -> Answered:
            async with free:
                return await self._ask(service, route)

        found = await asyncio.gather(*(ask(*each) for each in asked))
        return {
            f"{service}: {route}": one for (service, route), one in zip(asked, found, strict=True)
        }

    async def _ask(self, service: str, route: Route) -> Answered:
        began = time.monotonic()
        body = json.dumps(BODIES.get(str(route))).replace(_SOURCE, self.parts["source_id"])
        known = self.parts if str(route) == "POST /v1/forms/{token}" else {}
        answer = await self.clients[service].request(
            route.method, route.address(**known), content=body if str(route) in BODIES else None,
            headers={"If-Match": "*", "Content-Type": "application/json"},
        )  # fmt: skip
        taken = time.monotonic() - began
        return Answered(answer.status_code, taken, answer.headers.get("Retry-After"))


async def _make_sources(edge: Edge) -> None:
    """Have a source whose leads can be stored, and a form."""
    for kind, part, name in (("api", "id", "source_id"), ("form", "token", "token")):
        wanted = {"name": kind, "kind": kind, "channel": "seo"}
        made = await edge.clients["marketing_intake"].post("/v1/sources", json=wanted)
        edge.parts[name] = made.json()[part]


async def _documented(client: httpx.AsyncClient) -> list[Route]:
    document = (await client.get("/openapi.json")).json()
    return [
        Route(method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


@pytest.fixture(scope="module")
async def edge(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Edge]:
    async with AsyncExitStack() as open_now:
        rig = await open_now.enter_async_context(
            rigged(stack, tmp_path_factory.mktemp("rig"), SERVICES)
        )
        hidden, proxy = await open_now.enter_async_context(between(rig))
        doors = {service: hidden.process(service, "api") for service in SERVICES}
        for door in doors.values():
            door.start()
        await asyncio.gather(*(door.ready() for door in doors.values()))
        edge = Edge(rig, proxy, doors, {})
        for service, door in doors.items():
            client = await rig.client(door, limits=_ANEW)
            edge.clients[service] = await open_now.enter_async_context(client)
            edge.routes[service] = await _documented(client)
        await _make_sources(edge)
        yield edge


def test_every_route_that_reads_a_body_has_one_here(edge: Edge) -> None:
    reading = {
        str(route) for routes in edge.routes.values() for route in routes
        if "requestBody" in route.operation
    }  # fmt: skip

    assert reading == BODIES.keys()


@asynccontextmanager
async def black_hole(edge: Edge) -> AsyncGenerator[None]:
    """Let everything that is said to the databases disappear, as in a network without a route."""
    edge.proxy.swallowing = True
    try:
        yield
    finally:
        edge.proxy.swallowing = False
        edge.proxy.cut()


@asynccontextmanager
async def gone(edge: Edge) -> AsyncGenerator[None]:
    """Let nobody be there: who connects is cut off at once."""
    there, edge.proxy.port_behind = edge.proxy.port_behind, free_port()
    edge.proxy.cut()
    try:
        yield
    finally:
        edge.proxy.port_behind = there


@asynccontextmanager
async def renamed(edge: Edge) -> AsyncGenerator[None]:
    """Let the server be there, but no database of the name: as while one is restored."""
    administrator = await asyncpg.connect(edge.rig.stack.postgres_url, ssl=False)
    names = [url.rpartition("/")[2] for url in edge.rig.urls.values()]

    async def rename(before: str, after: str) -> None:
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"
        await administrator.execute(f'ALTER DATABASE "{before}" CONNECTION LIMIT 0')
        await administrator.fetch(end, before)
        await asyncio.sleep(0.2)
        await administrator.execute(f'ALTER DATABASE "{before}" RENAME TO "{after}"')
        await administrator.execute(f'ALTER DATABASE "{after}" CONNECTION LIMIT -1')

    for name in names:
        await rename(name, f"{name}_away")
    try:
        yield
    finally:
        for name in names:
            await rename(f"{name}_away", name)
        await administrator.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("outage", [black_hole, gone, renamed], ids=lambda each: each.__name__)
async def test_every_route_answers_in_time_and_says_when_to_ask_again(
    edge: Edge, outage: Any
) -> None:
    before = await edge.ask_all(at_once=_AS_USUAL)
    async with outage(edge):
        with_known_keys = await edge.ask_all()
        await asyncio.sleep(keys.MEMORY)
        with_keys_forgotten = await edge.ask_all()
    lives = {service: door.lives for service, door in edge.doors.items()}

    assert {name: one for name, one in before.items() if one.status >= WRONG} == {}
    for during in (with_known_keys, with_keys_forgotten):
        assert {name: one for name, one in during.items() if one.is_wrong} == {}
        assert {name: one for name, one in during.items() if one.status != UNAVAILABLE} == {}
    await until(lambda: _as_before(edge, before), seconds=60)
    assert set(lives.values()) == {1}
    assert all([await door.is_ready() for door in edge.doors.values()])


async def _as_before(edge: Edge, before: Mapping[str, Answered]) -> bool:
    """Tell whether every route answers as before the outage: found, missing, or made a second time.

    What was made before may be there now, so a conflict is as good.
    """
    now = await edge.ask_all(at_once=_AS_USUAL)
    return all(now[name].status in {before[name].status, 409} for name in before)
