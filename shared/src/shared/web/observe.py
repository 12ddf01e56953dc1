"""Sees every request from its head to its answer: trace context, log line, metrics, headers.

A log line and a metric have the route's template, never the path or the query: those hold tokens
and ids. A person's data is in neither.
"""

import time
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.loggers import get_logger, structlog
from shared.telemetry import metrics, spans, tracing
from shared.web.route_templates import templates_of

CALLER = "handoff.caller"
"""Where `keys` leaves the id of the caller's key in the request's scope, for the log line."""

_LOG = get_logger(__name__)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_GONE = 499
_POLICY = b"content-security-policy"
_HEADERS = (
    (b"cache-control", b"no-store"),
    (_POLICY, b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"x-content-type-options", b"nosniff"),
)
_DOCS_POLICY = (
    b"default-src 'self'; script-src https://cdn.jsdelivr.net 'unsafe-inline'; "
    b"style-src https://cdn.jsdelivr.net 'unsafe-inline'; img-src 'self' data: https:; "
    b"frame-ancestors 'none'"
)


@dataclass(slots=True)
class Answer:
    """What is known of an answer while it goes out."""

    send: Send
    docs: bool
    status: int = _GONE

    async def give(self, message: Message) -> None:
        """Hand on a piece of the answer; its head gets the headers it has not set itself."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = self._secured(list(message.get("headers", ())))
        await self.send(message)

    def _secured(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        present = {name.lower() for name, _ in headers}
        if self.docs:
            headers.append((_POLICY, _DOCS_POLICY))
            present.add(_POLICY)
        return headers + [header for header in _HEADERS if header[0] not in present]


class Observe:
    """The middleware; it stands outside of all others, so that it sees every answer."""

    def __init__(self, app: ASGIApp) -> None:
        """Look at what `app` answers."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on and tell of it when it is over."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, began_at = time.perf_counter(), time.time_ns()
        theirs = _traceparent(scope)
        _, trace, _, _ = tracing.begin(theirs).split("-")
        answer = Answer(send, docs=scope["path"] == "/docs")
        structlog.contextvars.bind_contextvars(trace=trace)  # a request is a task of its own
        try:
            await self._app(scope, receive, answer.give)
        finally:
            name = _tell(scope, answer.status, time.perf_counter() - began)
            spans.answered(name, theirs, began=began_at, status=answer.status)


def _tell(scope: Scope, status: int, seconds: float) -> str:
    """Count a request and log it; return what it is called, without its ids."""
    method = scope["method"] if scope["method"] in _METHODS else "other"
    route = templates_of(scope["app"]).of(scope)
    metrics.child(metrics.REQUEST_SECONDS, method, route, str(status)).observe(seconds)
    _LOG.info(
        "request",
        method=method,
        route=route,
        status=status,
        seconds=round(seconds, 4),
        key_id=scope.get(CALLER),
    )
    return f"{method} {route}"


def _traceparent(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"traceparent":
            return value.decode("latin-1")
    return None
