"""Trace context (W3C): kept with an event in the outbox, carried by Kafka, taken up by hearers.

It travels as text. What is done in a trace, and whether that is exported, is the business of
`spans`; here it only can be put together again.
"""

import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeGuard

_TRACEPARENT = re.compile(r"^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$")
_SAMPLED = 1
_ALL = 2**64
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


@dataclass(slots=True)
class _Sampling:
    """Of how many of the traces that begin here spans are kept; others say so themselves."""

    share: float = 0.0


_sampling = _Sampling()


def sample(share: float) -> None:
    """Keep the spans of this share of the traces that begin in this process."""
    _sampling.share = share


def begin(traceparent: str | None) -> str:
    """Start a span below `traceparent`, or a new trace where there is none that can be read."""
    mine = below(traceparent) if is_readable(traceparent) else new_trace()
    _current.set(mine)
    return mine


def current() -> str | None:
    """Return the running request's `traceparent`, if it has one."""
    return _current.get()


def below(parent: str) -> str:
    """Return the context of a new span in the same trace."""
    return f"{parent[:36]}{secrets.token_hex(8)}{parent[-3:]}"


def new_trace(*, kept: bool | None = None) -> str:
    """Return the context of a trace's first span; `kept` where that is not left to the share."""
    trace = secrets.token_hex(16)
    if kept is None:  # as OpenTelemetry's own sampler decides, so that others agree
        kept = int(trace[16:], 16) < _sampling.share * _ALL
    return f"00-{trace}-{secrets.token_hex(8)}-{kept:02x}"


def is_readable(traceparent: str | None) -> TypeGuard[str]:
    """Tell whether this is a context of the one version that there is."""
    return traceparent is not None and _TRACEPARENT.match(traceparent) is not None


def is_kept(traceparent: str | None) -> TypeGuard[str]:
    """Tell whether somebody wants the spans of this trace."""
    return is_readable(traceparent) and bool(int(traceparent[-2:], 16) & _SAMPLED)
