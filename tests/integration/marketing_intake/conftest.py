"""The service as its callers meet it: its app over HTTP, its resolver beside, a real database."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.stack.fixtures import DatabaseFor
from tests.stack.keys import bearer, make_key
from tests.stack.services import ERASURE_SECRET, NO_KAFKA

from marketing_intake.api import make_api
from marketing_intake.config import Settings
from marketing_intake.entrypoints.resolver import Resolver
from shared import limits
from shared.database.engine import open_engine
from shared.messaging.lease import Lease
from shared.telemetry.heartbeat import Heartbeats
from shared.web.app import Lifespan

SCOPES = ("leads:write", "leads:read", "sources:write")
WAIT = {"Prefer": "wait=8"}


def closing(engine: AsyncEngine) -> Lifespan:
    """Return the lifespan that every service's process gives."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        yield
        await engine.dispose()

    return lifespan


@dataclass
class Intake:
    """The running service. `http` asks with all scopes, `anybody` with no key."""

    engine: AsyncEngine
    http: httpx.AsyncClient
    anybody: httpx.AsyncClient
    resolver: Resolver
    source_id: str

    async def make_source(self, **fields: object) -> dict[str, Any]:
        wanted = {"name": "A source", "kind": "api", "channel": "content"} | fields
        answer = await self.http.post("/v1/sources", json=wanted)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def post(self, headers: dict[str, str] | None = None, **lead: object) -> httpx.Response:
        body = {"source_id": self.source_id} | lead
        return await self.http.post("/v1/leads", json=body, headers=headers or {})

    async def lead_of(self, **lead: object) -> str:
        """Post a lead and return the id of the lead that it reached."""
        answer = await self.post(WAIT, **lead)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()["lead_id"]

    async def show(self, path: str) -> dict[str, Any]:
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def rows(self, sql: str, **values: object) -> list[Any]:
        async with self.engine.connect() as connection:
            return list((await connection.execute(text(sql), values)).all())

    async def settled(self, source_id: str) -> list[Any]:
        """Return a source's submissions, newest first, when all have an outcome."""
        sql = "SELECT * FROM submission WHERE source_id = :id ORDER BY id DESC"
        for _ in range(500):
            found = await self.rows(sql, id=UUID(source_id))
            if found and all(row.state != "received" for row in found):
                return found
            await asyncio.sleep(0.01)
        raise AssertionError("some submissions never resolve")


@pytest.fixture(scope="module")
async def database_url(database_for: DatabaseFor) -> str:
    return await database_for("marketing_intake")


@pytest.fixture(scope="module")
def settings(database_url: str) -> Settings:
    return Settings(
        database_url=database_url,
        kafka_bootstrap=NO_KAFKA.kafka_bootstrap,
        erasure_secret=ERASURE_SECRET,
    )


@pytest.fixture(scope="module")
async def resolver(engine: AsyncEngine) -> AsyncGenerator[Resolver]:
    """The resolver that is part of `intake`; also to turn by hand where nobody else does."""
    beats = Heartbeats()
    lease = Lease(engine, name="resolve", owner="tests")
    resolver = Resolver(engine, lease, beats.loop("resolve"), ERASURE_SECRET.encode())
    yield resolver
    await resolver.kept.close()


@pytest.fixture(scope="module")
async def quiet_intake(
    settings: Settings, engine: AsyncEngine, resolver: Resolver
) -> AsyncGenerator[Intake]:
    """The service without its resolve loop: what was captured stays as it is."""
    own = open_engine(settings, limits.API)
    app = make_api(settings, own, closing(own))
    key = await make_key(engine, *SCOPES)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://intake") as anybody,
        httpx.AsyncClient(
            transport=transport,
            base_url="http://intake",
            headers=bearer(key),
        ) as http,
    ):
        intake = Intake(engine, http, anybody, resolver, "")
        intake.source_id = (await intake.make_source())["id"]
        yield intake


@pytest.fixture(scope="module")
async def intake(quiet_intake: Intake) -> AsyncGenerator[Intake]:
    """The service, resolving."""
    stop = asyncio.Event()
    loop = asyncio.create_task(quiet_intake.resolver.run(stop))
    yield quiet_intake
    stop.set()
    await loop
