"""`python -m marketing_intake.api`: takes leads in, and answers HTTP.

Wired by hand; nothing is built at import.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from marketing_intake.adapters.capture_statement import Captured, CaptureStatement, Receipt
from marketing_intake.adapters.sources import SourceBook
from marketing_intake.config import Settings
from marketing_intake.entrypoints.api import build_api
from marketing_intake.entrypoints.context import Context
from marketing_intake.entrypoints.door import Door
from marketing_intake.entrypoints.waiting import Waiting
from marketing_intake.service import SERVICE
from shared import limits, serving
from shared.database.engine import open_engine
from shared.database.errors import Kind, kind_of
from shared.messaging.capture import Flusher
from shared.web.app import Lifespan
from shared.web.keys import Keyring

_HOT_CONNECTIONS = 3


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
        secret=settings.erasure_key,
    )

    async def close() -> None:
        await capture.close()
        await hot.dispose()

    return build_api(context, _beside([flusher.run, waiting.run], close, lifespan))


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


def _is_bad_row(error: Exception) -> bool:
    """Tell what is one submission's own fault from what befell the database."""
    return isinstance(error, asyncpg.PostgresError | ValueError) and kind_of(error) is Kind.DATA


if __name__ == "__main__":
    sys.exit(serving.main(SERVICE, Settings, make_api))
