"""Trace context (W3C): kept with an event in the outbox, carried by Kafka, taken up by hearers.

Knows no exporter: it only sees to it that one lead's way can be put together again.
"""

import re
import secrets
from contextvars import ContextVar

_TRACEPARENT = re.compile(r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def begin(traceparent: str | None) -> str:
    """Start a span below `traceparent`, or a new trace where there is none that can be read."""
    trace = secrets.token_hex(16)
    flags = "01"
    if traceparent and _TRACEPARENT.match(traceparent):
        _, trace, _, flags = traceparent.split("-")
    mine = f"00-{trace}-{secrets.token_hex(8)}-{flags}"
    _current.set(mine)
    return mine


def current() -> str | None:
    """Return the running request's or batch's `traceparent`, if it has one."""
    return _current.get()
