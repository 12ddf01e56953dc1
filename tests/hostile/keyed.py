"""The four services as their callers meet them, each with its routes, and keys of any kind for it.

In this process, on real databases; what needs processes of its own starts them by a rig.
"""

import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.stack import databases
from tests.stack.keys import bearer, make_key
from tests.stack.running import Stack
from tests.stack.services import ERASURE_SECRET, NO_KAFKA

import lead_scoring.bootstrap
import marketing_intake.bootstrap
import notifier.bootstrap
import sales_pipeline.bootstrap
from handoff.keys import SCOPES
from shared import limits
from shared.ids import new_id

BOOTSTRAPS: Mapping[str, ModuleType] = {
    "marketing-intake": marketing_intake.bootstrap,
    "lead-scoring": lead_scoring.bootstrap,
    "sales-pipeline": sales_pipeline.bootstrap,
    "notifier": notifier.bootstrap,
}
SERVICES = tuple(BOOTSTRAPS)
_NEEDS = re.compile(r"Needs (?:a key|the scope ([a-z: ]+?))\.(?:\n|$)")
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One address with one method, and what the document says of it; empty where it is silent."""

    method: str
    path: str
    operation: Mapping[str, Any]

    def __str__(self) -> str:
        """Name it as people do."""
        return f"{self.method} {self.path}"

    @property
    def needs(self) -> frozenset[str] | None:
        """The scopes of which one opens it; none at all: any key does; None: it needs no key."""
        said = _NEEDS.search(self.operation.get("description", ""))
        if said is None or "security" not in self.operation:
            return None
        return frozenset(said[1].split(" or ")) if said[1] else frozenset()

    def opens_with(self, scope: str) -> bool:
        """Tell whether the document lets a key with this scope alone in."""
        return self.needs is not None and (not self.needs or scope in self.needs)

    def address(self, **parts: object) -> str:
        """Return an address of this route: with these parts, else with ids of nothing."""
        return _PLACE.sub(lambda place: str(parts.get(place[1]) or new_id()), self.path)


def routes_of(app: FastAPI) -> Iterator[Route]:
    """Yield every route that the app really has, documented or not."""
    paths = app.openapi()["paths"]
    for context in iter_route_contexts(app.routes):
        for method in sorted(set(context.methods or ()) - {"HEAD"}):
            path = context.path or ""
            yield Route(method, path, paths.get(path, {}).get(method.lower(), {}))


@dataclass
class Served:
    """A service that answers; `http` shows no key by itself."""

    name: str
    app: FastAPI
    engine: AsyncEngine
    http: httpx.AsyncClient
    routes: tuple[Route, ...]
    _keys: dict[tuple[str, ...], str] = field(default_factory=dict)

    @property
    def scopes(self) -> tuple[str, ...]:
        """All that a key of this service can be allowed."""
        return SCOPES[self.name]

    async def key(self, *scopes: str) -> str:
        """Return a key with these scopes, else with all; made once."""
        wanted = scopes or self.scopes
        if wanted not in self._keys:
            self._keys[wanted] = await make_key(self.engine, *wanted)
        return self._keys[wanted]

    async def send(self, route: Route, *, key: str | None = None, **options: Any) -> httpx.Response:
        """Ask at a route, with an empty object for a body where none is given."""
        if route.method in {"POST", "PUT", "PATCH"} and not options.keys() & {"json", "content"}:
            options["json"] = {}
        headers = {**options.pop("headers", {}), **(bearer(key) if key else {})}
        address = options.pop("address", None) or route.address()
        return await self.http.request(route.method, address, headers=headers, **options)


@asynccontextmanager
async def serving(stack: Stack, name: str) -> AsyncGenerator[Served]:
    """Serve one of the four for the block, wired by its own bootstrap on a fresh database."""
    url = await databases.make_copy(stack, name.replace("-", "_"))
    async with AsyncExitStack() as open_now:
        open_now.push_async_callback(databases.drop, stack, url)
        engine = await open_now.enter_async_context(databases.opened(url, limits.API))
        app = _app(name, url, engine)
        await open_now.enter_async_context(app.router.lifespan_context(app))
        transport = httpx.ASGITransport(app)
        http = httpx.AsyncClient(transport=transport, base_url=f"http://{name}", timeout=60)
        await open_now.enter_async_context(http)
        yield Served(name, app, engine, http, tuple(routes_of(app)))


def _app(name: str, url: str, engine: AsyncEngine) -> FastAPI:
    bootstrap: Any = BOOTSTRAPS[name]
    settings = bootstrap.Settings(
        database_url=url, kafka_bootstrap=NO_KAFKA.kafka_bootstrap, erasure_secret=ERASURE_SECRET
    )
    app: FastAPI = bootstrap.make_api(settings, engine, _nothing_beside)
    return app


@asynccontextmanager
async def _nothing_beside(_app: FastAPI) -> AsyncGenerator[None]:
    """Leave the engine to who opened it."""
    yield
