"""Every route of the four services while its database is gone, or gives no answer (D1, D4).

Real processes; all routes are asked at once, so that the whole takes about one limit.
"""

import asyncio
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
from tests.faults.rig.rig import SERVICES as PACKAGES
from tests.faults.rig.rig import Rig, rigged
from tests.hostile.attacks.attack import Aim, Attack, plain
from tests.hostile.attacks.samples import Samples
from tests.hostile.documents import SERVICES, Operation, operations
from tests.stack.ports import free_port
from tests.stack.process import Process
from tests.stack.running import Stack
from tests.stack.waiting import until

from shared import limits
from shared.contracts.catalogue import INTAKE
from shared.web import keys

WRONG, UNAVAILABLE = 500, 503
AFTER_THE_LIMIT = 3.0
"""Seconds: the driver may close a connection whose request was ended, and this machine is busy."""

_ANEW = httpx.Limits(max_keepalive_connections=0)
"""A connection for each request: an old one may be closed, for its age, just when it is taken."""

_AS_USUAL = 8


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
    aims: Mapping[str, Aim] = field(default_factory=dict[str, Aim])

    async def ask_all(self, *, at_once: int = 1_000) -> dict[str, Answered]:
        """Ask at every route of every service, in a way that needs the database."""
        free = asyncio.Semaphore(at_once)

        async def ask(operation: Operation) -> Answered:
            async with free:
                return await self._ask(plain(operation, self.aims[operation.service]))

        found = await asyncio.gather(*(ask(operation) for operation in operations()))
        return {str(each): answered for each, answered in zip(operations(), found, strict=True)}

    async def _ask(self, request: Attack) -> Answered:
        began = time.monotonic()
        said = {name.encode(): value for name, value in request.headers.items() if value}
        answer = await self.clients[request.operation.service].request(
            request.operation.method, request.address, content=request.body,
            headers={b"If-Match": b"*", **said},
        )  # fmt: skip
        taken = time.monotonic() - began
        return Answered(answer.status_code, taken, answer.headers.get("Retry-After"))


async def _aims(intake: httpx.AsyncClient) -> dict[str, Aim]:
    """Return what is real: a source whose leads can be stored, and a form; else all is nobody's."""

    async def source(kind: str) -> dict[str, str]:
        wanted = {"name": kind, "kind": kind, "channel": "seo"}
        return (await intake.post("/v1/sources", json=wanted)).json()

    known = {"source_id": (await source("api"))["id"]}
    ids = {"/v1/forms/{token}": (await source("form"))["token"]}
    return {name: Aim(Samples(name, known), ids) for name in SERVICES}


@pytest.fixture(scope="module")
async def edge(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Edge]:
    async with AsyncExitStack() as open_now:
        rig = await open_now.enter_async_context(
            rigged(stack, tmp_path_factory.mktemp("rig"), PACKAGES)
        )
        hidden, proxy = await open_now.enter_async_context(between(rig))
        doors = {package: hidden.process(package, "api") for package in PACKAGES}
        for door in doors.values():
            door.start()
        await asyncio.gather(*(door.ready() for door in doors.values()))
        edge = Edge(rig, proxy, doors, {})
        for package, door in doors.items():
            client = await rig.client(door, limits=_ANEW)
            edge.clients[package.replace("_", "-")] = await open_now.enter_async_context(client)
        edge.aims = await _aims(edge.clients[INTAKE])
        yield edge


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
    lives = {package: door.lives for package, door in edge.doors.items()}

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
