"""Wires scoring by hand: settings to engine, routes and loops. Nothing is built at import."""

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_scoring.adapters.desks import Desks
from lead_scoring.config import Settings
from lead_scoring.entrypoints.api import build_api
from lead_scoring.entrypoints.context import Context
from lead_scoring.entrypoints.worker import ScoringHearer
from shared import limits
from shared.database import migrate
from shared.database.engine import open_engine
from shared.messaging import loops
from shared.messaging.worker import Worker
from shared.telemetry import logging
from shared.telemetry.heartbeat import Heartbeats
from shared.web import server
from shared.web.health import Operations, build_operations
from shared.web.keys import Keyring

SERVICE = "lead-scoring"
VERSION = version(SERVICE)


class UnknownLoop(Exception):
    """`--only` names a loop that there is not."""

    def __init__(self, names: Collection[str], known: Collection[str]) -> None:
        """Say which there are."""
        super().__init__(f"no loop {', '.join(names)}; there are {', '.join(known)}")


def run_migrations(settings: Settings) -> int:
    """Bring the database to this code's schema."""
    logging.configure(settings, service=SERVICE, role="migrate")
    asyncio.run(migrate.upgrade(settings, "lead_scoring"))
    return 0


def run_api(settings: Settings) -> int:
    """Serve the API until asked to stop."""
    logging.configure(settings, service=SERVICE, role="api")
    engine = open_engine(settings, limits.API)
    app = build_app(engine)
    return server.run(app, settings, _operations(engine, Heartbeats()))


def build_app(engine: AsyncEngine) -> FastAPI:
    """Return the API on an engine, which ends with it."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        yield
        await engine.dispose()

    context = Context(engine=engine, keyring=Keyring(engine))
    return build_api(context, version=VERSION, lifespan=lifespan)


def run_worker(settings: Settings, only: Collection[str] = ()) -> int:
    """Run the loops until asked to stop.

    Raises:
        UnknownLoop: `only` names one that there is not.
    """
    logging.configure(settings, service=SERVICE, role="worker")
    heartbeats = Heartbeats()
    engine = open_engine(settings, limits.WORKER, hot=True)
    chosen = _chosen(build_worker(settings, engine, heartbeats).loops(), only)
    again = False

    async def work(stop: asyncio.Event) -> None:
        nonlocal again
        try:
            await loops.run(chosen, heartbeats, stop)
        except loops.StartAgain:
            again = True
        finally:
            await engine.dispose()

    code = server.run(None, settings, _operations(engine, heartbeats), background=[work])
    if again:
        loops.replace_process()
    return code


def build_worker(settings: Settings, engine: AsyncEngine, heartbeats: Heartbeats) -> Worker:
    """Return what the worker runs."""
    return Worker(
        engine=engine,
        settings=settings,
        service=SERVICE,
        version=VERSION,
        heartbeats=heartbeats,
        hearer=ScoringHearer(Desks()),
    )


def _chosen(known: dict[str, loops.Loop], only: Collection[str]) -> dict[str, loops.Loop]:
    if strange := [name for name in only if name not in known]:
        raise UnknownLoop(strange, known)
    return {name: loop for name, loop in known.items() if not only or name in only}


def _operations(engine: AsyncEngine, heartbeats: Heartbeats) -> Operations:
    async def database() -> str | None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        return None

    return build_operations(heartbeats, {"database": database})
