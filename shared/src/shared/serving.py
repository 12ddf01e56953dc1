"""The role that answers HTTP: `python -m <package>.api`, until it is told to stop."""

import argparse
import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from shared import limits
from shared.beginning import wait_for_database
from shared.database.engine import open_engine
from shared.database.schema import Tables
from shared.fitness import Unfit
from shared.process import S, introduce, noting, package_of, read_settings, refuse
from shared.telemetry.heartbeat import Heartbeats
from shared.web import server
from shared.web.app import Lifespan
from shared.web.health import build_operations

MakeApi = Callable[[S, AsyncEngine, Lifespan], FastAPI]
"""Makes a service's app, which must keep the lifespan inside its own."""


def main(service: str, settings: type[S], make_api: MakeApi[S]) -> int:
    """Run the API of a service; return the process's exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {package_of(service)}.api")
    parser.parse_args()
    told = read_settings(settings, parser)
    introduce(told, service=service, role="api")
    return run(service, told, make_api)


def run(service: str, settings: S, make_api: MakeApi[S]) -> int:
    """Answer HTTP until told to stop, or refuse to begin."""
    engine = open_engine(settings, limits.API, hot=True, asked=True)
    app = make_api(settings, engine, _closing(engine))
    app.openapi()  # here, since it would hold up all others for a tenth of a second and more
    tables = Tables(engine, package_of(service))
    refused: list[Unfit] = []

    async def begin(stop: asyncio.Event) -> None:
        with noting(refused, stop):
            await wait_for_database(tables, "api", stop)
        await stop.wait()

    operations = build_operations(Heartbeats(), {"database": tables.fault})
    code = server.run(app, settings, operations, background=[begin])
    return refuse(refused) or code


def _closing(engine: AsyncEngine) -> Lifespan:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        yield
        await engine.dispose()

    return lifespan
