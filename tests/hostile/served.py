"""The four services as their callers meet them, each with its routes, and keys of any kind for it.

In this process, on real databases, so that a walk over routes and keys takes seconds. What is about
bytes on the wire, a log or memory attacks a process instead (`targets`).
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.hostile.documents import Operation
from tests.stack import databases
from tests.stack.inside import Inside
from tests.stack.keys import bearer, make_key
from tests.stack.running import Stack
from tests.stack.services import NO_KAFKA

from handoff.keys import SCOPES

TOLD_APART = frozenset(
    {
        *("POST /v1/leads", "POST /v1/leads/batch", "GET /v1/leads", "GET /v1/leads/{lead_id}"),
        *("GET /v1/leads/{lead_id}/touchpoints", "POST /v1/touchpoints"),
        *("POST /v1/leads/{lead_id}/consents", "GET /v1/submissions"),
        *("GET /v1/submissions/{submission_id}", "POST /v1/submissions/{submission_id}/retry"),
        *("GET /v1/sources", "GET /v1/sources/{source_id}", "PATCH /v1/sources/{source_id}"),
    }
)
"""Where a key that is tied to a source is let in: no other source's things are seen or changed."""


def routes_of(service: str, app: FastAPI) -> Iterator[Operation]:
    """Yield every route that the app really has, documented or not."""
    paths = app.openapi()["paths"]
    for context in iter_route_contexts(app.routes):
        for method in sorted(set(context.methods or ()) - {"HEAD"}):
            path = context.path or ""
            yield Operation(service, method, path, paths.get(path, {}).get(method.lower(), {}))


@dataclass
class Served:
    """A service that answers; `http` shows no key by itself."""

    name: str
    app: FastAPI
    engine: AsyncEngine
    http: httpx.AsyncClient
    routes: tuple[Operation, ...]
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

    async def send(
        self, route: Operation, *, key: str | None = None, **options: Any
    ) -> httpx.Response:
        """Ask at a route, with an empty object for a body where none is given."""
        if route.method in {"POST", "PUT", "PATCH"} and not options.keys() & {"json", "content"}:
            options["json"] = {}
        headers = {**options.pop("headers", {}), **(bearer(key) if key else {})}
        address = options.pop("address", None) or route.address()
        return await self.http.request(route.method, address, headers=headers, **options)


@asynccontextmanager
async def serving(stack: Stack, name: str) -> AsyncGenerator[Served]:
    """Serve one of the four for the block, wired as in its own process, on a fresh database."""
    package = name.replace("-", "_")
    url = await databases.make_copy(stack, package)
    async with AsyncExitStack() as open_now:
        open_now.push_async_callback(databases.drop, stack, url)
        app, engine = await open_now.enter_async_context(Inside(package, url, NO_KAFKA).app())
        transport = httpx.ASGITransport(app)
        http = httpx.AsyncClient(transport=transport, base_url=f"http://{name}", timeout=60)
        await open_now.enter_async_context(http)
        yield Served(name, app, engine, http, tuple(routes_of(name, app)))
