"""A service with nothing in it but the edge: run as a process, and spoken to over real HTTP."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy import text

from shared.database.engine import open_engine
from shared.settings import DatabaseSettings, TelemetrySettings, WebSettings
from shared.telemetry import logging
from shared.telemetry.heartbeat import Heartbeats
from shared.web import server
from shared.web.app import create_app
from shared.web.body import Body, json_body
from shared.web.health import build_operations
from shared.web.problems import ProblemType
from shared.web.values import Email, JsonObject, Name


class Settings(DatabaseSettings, WebSettings, TelemetrySettings):
    """All that it needs."""


class IllegalMove(Exception):
    """A rule was broken."""


class LeadIn(Body):
    name: Name
    email: Email | None = None
    extra: JsonObject | None = None


def routes(settings: Settings) -> APIRouter:
    """Return a route for each way in which a request can end."""
    router = APIRouter(prefix="/v1")
    engine = open_engine(settings)

    @router.post("/leads", status_code=201)
    async def make_lead(lead: Annotated[LeadIn, Depends(json_body(LeadIn))]) -> dict[str, str]:
        return {"name": lead.name}

    @router.get("/leads/{lead_id}")
    async def read_lead(lead_id: UUID) -> None:
        raise IllegalMove(f"Lead {lead_id} is won: open a new deal.")

    @router.get("/database")
    async def ask_database() -> dict[str, int]:
        async with engine.begin() as connection:
            return {"answer": (await connection.execute(text("SELECT 42"))).scalar_one()}

    @router.get("/slow/{seconds}")
    async def be_slow(seconds: float) -> dict[str, float]:
        await asyncio.sleep(seconds)
        return {"slept": seconds}

    @router.get("/bug")
    async def fail(email: str = "anna@example.com") -> None:
        raise ZeroDivisionError(email)

    return router


@asynccontextmanager
async def hang(_app: FastAPI) -> AsyncGenerator[None]:
    """Never start."""
    await asyncio.sleep(3600)
    yield


async def beside(stop: asyncio.Event) -> None:
    """Work until the stop, or end too early where that is asked for."""
    if "ends-too-early" not in sys.argv:
        await stop.wait()


def main() -> int:
    """Run it."""
    settings = Settings()
    logging.configure(settings, service="tiny", role="api")
    heartbeats = Heartbeats()
    heartbeats.loop("relay").hold("infrastructure") if "held" in sys.argv else None
    if "dead" in sys.argv:
        heartbeats.loop("relay").beaten_at -= 3600
    app = create_app(
        service="tiny",
        version="1",
        routers=[routes(settings)],
        errors={IllegalMove: ProblemType(409, "illegal-move", "The rules forbid this move")},
        lifespan=hang if "hangs" in sys.argv else None,
    )
    operations = build_operations(heartbeats, {})
    public = None if "worker" in sys.argv else app
    return server.run(public, settings, operations, background=[beside])


if __name__ == "__main__":
    sys.exit(main())
