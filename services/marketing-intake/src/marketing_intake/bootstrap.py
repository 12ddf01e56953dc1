"""Wires the intake by hand: what its API and its worker are made of; builds nothing at import."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from marketing_intake.adapters.capture_statement import Captured, CaptureStatement, Receipt
from marketing_intake.adapters.sources import SourceBook
from marketing_intake.adapters.submissions import submissions_by_day
from marketing_intake.config import Settings
from marketing_intake.entrypoints.api import SERVICE, build_api
from marketing_intake.entrypoints.context import Context
from marketing_intake.entrypoints.door import Door
from marketing_intake.entrypoints.recalling import Recalling
from marketing_intake.entrypoints.resolver import Resolver
from marketing_intake.entrypoints.waiting import Waiting
from shared import limits
from shared.code import version_of
from shared.database.engine import open_engine
from shared.database.errors import Kind, kind_of
from shared.messaging.capture import Flusher
from shared.messaging.loops import Loop
from shared.messaging.worker import Worker
from shared.process import Service
from shared.telemetry.heartbeat import Heartbeats
from shared.web.app import Lifespan
from shared.web.keys import Keyring

_HOT_CONNECTIONS = 3


def intake() -> Service[Settings]:
    """Return the service, for `shared.process` to run."""
    return Service(name=SERVICE, settings=_settings, api=make_api, worker=make_loops)


def make_api(settings: Settings, engine: AsyncEngine, lifespan: Lifespan) -> FastAPI:
    """Return what answers HTTP; capture and waiting have a few connections of their own."""
    hot = open_engine(settings, limits.API, hot=True, pool_size=_HOT_CONNECTIONS)
    capture = CaptureStatement(hot)
    flusher: Flusher[Captured, Receipt] = Flusher(
        capture.write,
        is_bad_row=_is_bad_row,
        max_bytes=settings.capture_queue_bytes,
    )
    waiting = Waiting(hot)
    context = Context(
        engine=engine,
        keyring=Keyring(engine),
        sources=SourceBook(engine),
        door=Door(flusher),
        waiting=waiting,
        secret=_secret(settings),
    )

    async def close() -> None:
        await capture.close()
        await hot.dispose()

    return build_api(context, _beside([flusher.run, waiting.run], close, lifespan))


def make_loops(
    settings: Settings, engine: AsyncEngine, heartbeats: Heartbeats
) -> Mapping[str, Loop]:
    """Return what resolves submissions, and says so."""
    worker = Worker(
        engine=engine,
        settings=settings,
        service=SERVICE,
        version=version_of(SERVICE),
        heartbeats=heartbeats,
        recall=Recalling(_secret(settings)).recall,
        tables_by_day=(submissions_by_day(settings.submission_days),),
    )
    resolver = Resolver(
        engine=engine,
        lease=worker.lease("resolve"),
        heartbeat=heartbeats.loop("resolve"),
        secret=_secret(settings),
        said=worker.said,
    )
    return {"resolve": resolver.run, **worker.loops()}


def _beside(
    loops: Sequence[Callable[[], Coroutine[None, None, None]]],
    close: Callable[[], Awaitable[None]],
    lifespan: Lifespan,
) -> Lifespan:
    """Return the lifespan in which requests are stored and waited for: it outlives them all."""

    @asynccontextmanager
    async def beside(app: FastAPI) -> AsyncGenerator[None]:
        async with lifespan(app):
            tasks = [asyncio.create_task(loop()) for loop in loops]
            yield
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await close()

    return beside


def _secret(settings: Settings) -> bytes:
    return settings.erasure_secret.get_secret_value().encode()


def _is_bad_row(error: Exception) -> bool:
    """Tell what is one submission's own fault from what befell the database."""
    return isinstance(error, asyncpg.PostgresError | ValueError) and kind_of(error) is Kind.DATA


def _settings() -> Settings:
    return Settings()  # pyright: ignore[reportCallIssue]  pydantic reads the environment
