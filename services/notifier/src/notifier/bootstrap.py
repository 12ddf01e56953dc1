"""Wires the service by hand: settings in, a running process out. Nothing is built at import."""

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from notifier.config import Settings
from notifier.entrypoints.api import SERVICE, build_api
from notifier.entrypoints.context import Context
from notifier.entrypoints.timer import TaskTimer
from notifier.entrypoints.worker import NotifierHearer
from shared import limits
from shared.database import migrate
from shared.database.engine import open_engine
from shared.messaging import loops
from shared.messaging.worker import Worker
from shared.telemetry.heartbeat import Heartbeats
from shared.web import server
from shared.web.app import Lifespan
from shared.web.health import Check, build_operations
from shared.web.keys import Keyring


class UnknownLoop(Exception):
    """A worker has no loop of that name."""


def run_migrations(settings: Settings) -> int:
    """Bring the database up to date."""
    asyncio.run(migrate.upgrade(settings, "notifier"))
    return 0


def run_api(settings: Settings) -> int:
    """Answer HTTP until told to stop."""
    engine = open_engine(settings, limits.API, hot=True)
    app = build_api(Context(engine=engine, keyring=Keyring(engine)), lifespan=_until_closed(engine))
    operations = build_operations(Heartbeats(), {"database": _database_answers(engine)})
    return server.run(app, settings, operations)


def run_worker(settings: Settings, only: Collection[str]) -> int:
    """Relay, hear, ring and tidy up until told to stop; `only` some of the loops, if any are named.

    Raises:
        UnknownLoop: one that is named does not exist.
    """
    engine = open_engine(settings, limits.WORKER, hot=True)
    heartbeats = Heartbeats()
    worker = Worker(
        engine=engine,
        settings=settings,
        service=SERVICE,
        version=version(SERVICE),
        heartbeats=heartbeats,
        hearer=NotifierHearer(),
        timers=[TaskTimer()],
    )
    wanted = worker.loops()
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


def _until_closed(engine: AsyncEngine) -> Lifespan:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        yield
        await engine.dispose()

    return lifespan


def _database_answers(engine: AsyncEngine) -> Check:
    async def check() -> str | None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        return None

    return check
