"""One process of a service: reads the role, wires what all services share, runs until told to stop.

A service's `bootstrap.py` says what its API and its worker are made of; everything that would be
the same in all four stands here.
"""

import argparse
import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Generic, TypeVar

import structlog
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from shared import crash_points, limits
from shared.beginning import wait_for_database
from shared.code import version_of
from shared.database.engine import open_engine
from shared.database.schema import Tables
from shared.fitness import Unfit
from shared.messaging import loops
from shared.messaging.worker import Worker, WorkerSettings
from shared.settings import (
    DatabaseSettings,
    FaultSettings,
    TelemetrySettings,
    TracingSettings,
    WebSettings,
    WrongSetting,
    read,
)
from shared.telemetry import logging, metrics, spans, tracing
from shared.telemetry.heartbeat import Heartbeats
from shared.web import server
from shared.web.app import Lifespan
from shared.web.health import build_operations

log = structlog.get_logger(__name__)

_NOT_SO, _WRONG_USE = 1, 2


class ServiceSettings(
    DatabaseSettings, WorkerSettings, WebSettings, TelemetrySettings, TracingSettings, FaultSettings
):
    """What every service needs to know; a service's own settings extend it."""


S = TypeVar("S", bound=ServiceSettings)


@dataclass(frozen=True, slots=True)
class Service(Generic[S]):
    """A service as its `bootstrap.py` gives it.

    `api` gets a lifespan that it must keep inside its own; `worker` gives the loops, and what it
    gives is run on an engine whose plans and limits are the worker's.
    """

    name: str
    settings: Callable[[], S]
    api: Callable[[S, AsyncEngine, Lifespan], FastAPI]
    worker: Callable[[S, AsyncEngine, Heartbeats], Worker | Mapping[str, loops.Loop]]

    @property
    def package(self) -> str:
        """The import package, which is also the database's name."""
        return self.name.replace("-", "_")


def main(service: Service[S]) -> int:
    """Run the role that the command line names; return the process's exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {service.package}")
    parser.add_argument("role", choices=("api", "worker"))
    parser.add_argument(
        "--only", action="append", default=[], metavar="LOOP", help="only this loop of the worker"
    )
    asked = parser.parse_args()
    settings = read_settings(service, parser)
    crash_points.arm(settings.crash_at)
    logging.configure(settings, service=service.name, role=asked.role)
    version = version_of(service.name)
    metrics.BUILD.labels(service.name, asked.role, version).set(1)
    export_spans(settings, service=service.name, role=asked.role, version=version)
    if asked.role == "api":
        return run_api(service, settings)
    heartbeats = Heartbeats(settings.silence_seconds)
    engine = open_engine(settings, limits.WORKER, hot=True)
    known = _loops(service.worker(settings, engine, heartbeats))
    if strangers := set(asked.only) - set(known):
        parser.error(f"no loop {', '.join(strangers)}; there are {', '.join(known)}")
    tables = Tables(engine, service.package)
    return run_worker(settings, tables, heartbeats, _chosen(known, asked.only))


def read_settings(service: Service[S], parser: argparse.ArgumentParser) -> S:
    """Return the settings; where one is wrong, say which and why, and end the process."""
    try:
        return read(service.settings)
    except WrongSetting as wrong:
        return parser.exit(_WRONG_USE, f"{parser.prog}: {wrong}\n")


def export_spans(settings: ServiceSettings, *, service: str, role: str, version: str) -> None:
    """Export spans if that is wanted; only then is what it takes imported."""
    if not settings.otlp_endpoint:
        return
    exporting = import_module("shared.telemetry.exporting")
    who = {
        "service.namespace": "handoff",
        "service.name": service,
        "service.version": version,
        "service.instance.id": settings.instance,
        "handoff.role": role,
    }
    spans.export(exporting.Exporter(settings.otlp_endpoint, **who))
    tracing.sample(settings.trace_share)


def run_api(service: Service[S], settings: S) -> int:
    """Answer HTTP until told to stop."""
    engine = open_engine(settings, limits.API, hot=True, asked=True)
    app = service.api(settings, engine, _closing(engine))
    app.openapi()  # here, since it would hold up all others for a tenth of a second and more
    tables = Tables(engine, service.package)
    refused: list[Unfit] = []

    async def begin(stop: asyncio.Event) -> None:
        with _noting(refused, stop):
            await wait_for_database(tables, "api", stop)
        await stop.wait()

    operations = build_operations(Heartbeats(), {"database": tables.fault})
    code = server.run(app, settings, operations, background=[begin])
    return refuse(refused) or code


def run_worker(
    settings: ServiceSettings,
    tables: Tables,
    heartbeats: Heartbeats,
    wanted: Mapping[str, loops.Loop],
) -> int:
    """Run the loops until told to stop, until only a new process will do, or refuse to begin."""
    asked: list[loops.StartAgain] = []
    refused: list[Unfit] = []
    begun = asyncio.Event()

    async def begin_fault() -> str | None:
        return None if begun.is_set() else "has not begun"

    async def work(stop: asyncio.Event) -> None:
        try:
            with _noting(refused, stop):
                await wait_for_database(tables, "worker", stop)
                asyncio.get_running_loop().call_soon(begun.set)  # with the first step of each
                await loops.run(wanted, heartbeats, stop)
        except loops.StartAgain as start_again:
            asked.append(start_again)
        finally:
            await tables.engine.dispose()

    operations = build_operations(heartbeats, {"database": tables.fault, "worker": begin_fault})
    code = server.run(None, settings, operations, background=[work])
    if asked:
        loops.replace_process()
    return refuse(refused) or code


@contextmanager
def _noting(refused: list[Unfit], stop: asyncio.Event) -> Generator[None]:
    """End the process in order where it must not begin."""
    try:
        yield
    except Unfit as unfit:
        refused.append(unfit)
        stop.set()


def refuse(refused: Collection[Unfit]) -> int:
    """Return the exit code of a process that refused; say last of all why it did.

    Of a container that ended the last words are shown.
    """
    for unfit in refused:
        log.error("refuses_to_begin", said=str(unfit))
    return _NOT_SO if refused else 0


def _loops(made: Worker | Mapping[str, loops.Loop]) -> Mapping[str, loops.Loop]:
    return made.loops() if isinstance(made, Worker) else made


def _chosen(known: Mapping[str, loops.Loop], only: Collection[str]) -> dict[str, loops.Loop]:
    return {name: loop for name, loop in known.items() if not only or name in only}


def _closing(engine: AsyncEngine) -> Lifespan:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        yield
        await engine.dispose()

    return lifespan
