"""Wires the service by hand: settings in, a running process out. Nothing is built at import."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version

import asyncpg
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from marketing_intake.adapters.capture_statement import Captured, CaptureStatement, Receipt
from marketing_intake.adapters.sources import SourceBook
from marketing_intake.config import Settings
from marketing_intake.entrypoints.api import SERVICE, build_api
from marketing_intake.entrypoints.context import Context
from marketing_intake.entrypoints.door import Door
from marketing_intake.entrypoints.resolver import Resolver
from marketing_intake.entrypoints.waiting import Waiting
from shared import limits
from shared.database import migrate
from shared.database.engine import open_engine
from shared.database.errors import Kind, kind_of
from shared.messaging import loops
from shared.messaging.capture import Flusher
from shared.messaging.lease import Lease
from shared.messaging.loops import Loop
from shared.messaging.worker import Worker
from shared.telemetry.heartbeat import Heartbeats
from shared.web import server
from shared.web.health import Check, build_operations
from shared.web.keys import Keyring

_CAPTURE_CONNECTIONS = 2


class UnknownLoop(Exception):
    """A worker has no loop of that name."""


def run_migrations(settings: Settings) -> int:
    """Bring the database up to date."""
    asyncio.run(migrate.upgrade(settings, "marketing_intake"))
    return 0


def run_api(settings: Settings) -> int:
    """Answer HTTP until told to stop."""
    engine = open_engine(settings, limits.API, hot=True)
    operations = build_operations(Heartbeats(), {"database": _database_answers(engine)})
    return server.run(api(settings, engine), settings, operations)


def api(settings: Settings, engine: AsyncEngine) -> FastAPI:
    """Return the public app; what it runs beside (capture, waiting) begins and ends with it."""
    capture = open_engine(settings, limits.API, hot=True, pool_size=_CAPTURE_CONNECTIONS)
    flusher: Flusher[Captured, Receipt] = Flusher(
        CaptureStatement(capture).write,
        is_bad_row=_is_bad_row,
        max_bytes=settings.capture_queue_bytes,
    )
    waiting = Waiting(engine)
    context = Context(
        engine=engine,
        keyring=Keyring(engine),
        sources=SourceBook(engine),
        door=Door(flusher),
        waiting=waiting,
        secret=_secret(settings),
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        beside = [asyncio.create_task(flusher.run()), asyncio.create_task(waiting.run())]
        yield
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await asyncio.gather(engine.dispose(), capture.dispose())

    return build_api(context, lifespan)


def run_worker(settings: Settings, only: Collection[str]) -> int:
    """Resolve, relay and tidy up until told to stop; `only` some of the loops, if any are named.

    Raises:
        UnknownLoop: one that is named does not exist.
    """
    engine = open_engine(settings, limits.WORKER, hot=True)
    heartbeats = Heartbeats()
    wanted = _loops(settings, engine, heartbeats)
    if strangers := set(only) - set(wanted):
        raise UnknownLoop(f"no loop {', '.join(strangers)}; there are {', '.join(wanted)}")
    wanted = {name: loop for name, loop in wanted.items() if not only or name in only}
    start_again: list[loops.StartAgain] = []

    async def work(stop: asyncio.Event) -> None:
        try:
            await loops.run(wanted, heartbeats, stop)
        except loops.StartAgain as asked:
            start_again.append(asked)
        finally:
            await engine.dispose()

    operations = build_operations(heartbeats, {"database": _database_answers(engine)})
    code = server.run(None, settings, operations, background=[work])
    if start_again:
        loops.replace_process()
    return code


def _loops(settings: Settings, engine: AsyncEngine, heartbeats: Heartbeats) -> Mapping[str, Loop]:
    worker = Worker(
        engine=engine,
        settings=settings,
        service=SERVICE,
        version=version(SERVICE),
        heartbeats=heartbeats,
        partitioned={"submission": "uuid7"},
    )
    resolver = Resolver(
        engine=engine,
        lease=Lease(engine, name="resolve", owner=settings.instance),
        heartbeat=heartbeats.loop("resolve"),
        secret=_secret(settings),
    )
    return {"resolve": resolver.run, **worker.loops()}


def _secret(settings: Settings) -> bytes:
    return settings.erasure_secret.get_secret_value().encode()


def _is_bad_row(error: Exception) -> bool:
    """Tell what is one submission's own fault from what befell the database."""
    return isinstance(error, asyncpg.PostgresError | ValueError) and kind_of(error) is Kind.DATA


def _database_answers(engine: AsyncEngine) -> Check:
    async def check() -> str | None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        return None

    return check
