"""The four services in the tests' own process, wired as in their own processes."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.stack import databases
from tests.stack.keys import bearer, make_key
from tests.stack.services import ERASURE_SECRET

from handoff.keys import SCOPES
from handoff.services import SERVICES
from shared import limits
from shared.database.engine import open_engine
from shared.messaging import loops
from shared.messaging.loops import Loop
from shared.settings import KafkaSettings
from shared.telemetry.heartbeat import Heartbeats

PACKAGES = tuple(service.package for service in SERVICES)
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Inside:
    """One service. Nothing of it runs yet."""

    package: str
    url: str
    kafka: KafkaSettings

    @asynccontextmanager
    async def app(self) -> AsyncGenerator[tuple[FastAPI, AsyncEngine]]:
        """Give its API, made as its process makes it, and the engine by which it asks."""
        engine = open_engine(self._settings(), limits.API, hot=True, asked=True)
        made = import_module(f"{self.package}.api").make_api
        app = made(self._settings(), engine, _closing(engine))
        async with app.router.lifespan_context(app):
            yield app, engine

    @asynccontextmanager
    async def api(self, **tied: Any) -> AsyncGenerator[httpx.AsyncClient]:
        """Give a client of its API, with a key for everything, or one that is tied to a source."""
        all_scopes = SCOPES[self.package.replace("_", "-")]
        scopes = [scope for scope in all_scopes if not tied or scope != "operate"]
        async with databases.opened(self.url) as own:
            headers = bearer(await make_key(own, *scopes, **tied))
        async with (
            self.app() as (app, _),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url=f"http://{self.package}",
                headers=headers, timeout=_SECONDS,
            ) as client,
        ):  # fmt: skip
            yield client

    @asynccontextmanager
    async def working(self, *, without: Collection[str] = ()) -> AsyncGenerator[None]:
        """Run the loops of its worker during a block."""
        heartbeats, stop = Heartbeats(), asyncio.Event()
        engine = open_engine(self._settings(), limits.WORKER, hot=True)
        wanted = {
            name: loop
            for name, loop in self._loops(engine, heartbeats).items()
            if name not in without
        }
        running = asyncio.create_task(loops.run(wanted, heartbeats, stop))
        try:
            yield
        finally:
            stop.set()
            await running
            await engine.dispose()

    def _loops(self, engine: AsyncEngine, heartbeats: Heartbeats) -> Mapping[str, Loop]:
        made = import_module(f"{self.package}.worker").make_loops
        loops: Mapping[str, Loop] = made(self._settings(), engine, heartbeats)
        return loops

    def _settings(self) -> Any:
        """Return its settings; each kind takes what it knows of these."""
        return import_module(f"{self.package}.config").Settings(
            database_url=self.url,
            erasure_secret=ERASURE_SECRET,
            **self.kafka.model_dump(exclude={"instance"}),
            instance=f"{self.package}-inside",
        )


def _closing(engine: AsyncEngine) -> Any:
    """Return the lifespan that every service's process gives."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        yield
        await engine.dispose()

    return lifespan
