"""The operations app, on a port of its own: `/livez`, `/readyz` and `/metrics`.

Liveness asks the loops of this process alone, so a broker or a database that is away never gets
a process killed. Readiness asks the checks that are passed in, and is over once the stop began.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from shared.telemetry import metrics
from shared.telemetry.heartbeat import Heartbeats

Check = Callable[[], Awaitable[str | None]]
"""Looks at one thing that the process needs; returns what is wrong, in a sentence, or None."""

_CHECK_SECONDS = 3.0
_OK, _UNAVAILABLE = 200, 503


class Operations:
    """The app; `stopping` is set by the server when the process was asked to stop."""

    def __init__(self, heartbeats: Heartbeats, checks: Mapping[str, Check]) -> None:
        """Answer for these loops and checks."""
        self.stopping = False
        self._heartbeats = heartbeats
        self._checks = dict(checks)
        self._app = Starlette(
            routes=[
                Route("/livez", self._live),
                Route("/readyz", self._ready),
                Route("/metrics", self._metrics),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._app(scope, receive, send)

    async def troubles(self) -> dict[str, str]:
        """Return why the process is not ready: what is wrong, by check or loop."""
        found = await asyncio.gather(*map(_ask, self._checks.values()))
        troubles = {name: said for name, said in zip(self._checks, found, strict=True) if said}
        troubles |= {f"loop {name}": reason for name, reason in self._heartbeats.held().items()}
        return troubles | ({"process": "is stopping"} if self.stopping else {})

    async def _live(self, _request: Request) -> Response:
        dead = self._heartbeats.dead()
        return _answer({"live": not dead, "dead_loops": dead}, good=not dead)

    async def _ready(self, _request: Request) -> Response:
        troubles = await self.troubles()
        return _answer({"ready": not troubles, "troubles": troubles}, good=not troubles)

    async def _metrics(self, _request: Request) -> Response:
        metrics.TASKS.set(len(asyncio.all_tasks()))
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def build_operations(heartbeats: Heartbeats, checks: Mapping[str, Check]) -> Operations:
    """Return the operations app of a process."""
    return Operations(heartbeats, checks)


async def _ask(check: Check) -> str | None:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            return await check()
    except Exception as error:  # noqa: BLE001  a check that fails is a trouble, whatever it is
        return f"does not answer ({type(error).__name__})"


def _answer(content: Mapping[str, object], *, good: bool) -> Response:
    return JSONResponse(content, _OK if good else _UNAVAILABLE)
