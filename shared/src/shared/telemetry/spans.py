"""Spans: each piece of work on one lead's way, from the request that brought it to its task.

Work is done in batches, for many traces at once: so each trace gets a span of its own below what
led to it, and one more has links to all of them. Where nobody takes spans, contexts are handed on
as they came and nothing is done.
"""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Literal

from shared.telemetry import tracing

Kind = Literal["server", "internal", "producer", "consumer"]
_FIRST_FAULT_OF_OURS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A piece of work that is over: what it was, below which other one, from when to when.

    `context`, `parent` and `links` are in the form of a `traceparent`; times are in nanoseconds.
    Attributes are ids and counts, never personal data.
    """

    name: str
    kind: Kind
    context: str
    parent: str | None = None
    began: int
    ended: int = field(default_factory=time.time_ns)
    links: tuple[str, ...] = ()
    attributes: Mapping[str, str | int]
    failed: bool = False


Export = Callable[[Span], None]


@dataclass(slots=True)
class _Exporting:
    to: Export | None = None


_exporting = _Exporting()


def export(to: Export | None) -> None:
    """From now on hand spans over; None: no more."""
    _exporting.to = to


def answered(name: str, parent: str | None, *, began: int, status: int) -> None:
    """Tell of the running request, which is over."""
    mine = tracing.current()
    if _exporting.to is not None and tracing.is_kept(mine):
        _exporting.to(
            Span(
                name=name,
                kind="server",
                context=mine,
                parent=parent if tracing.is_readable(parent) else None,
                began=began,
                attributes={"http.response.status_code": status},
                failed=status >= _FIRST_FAULT_OF_OURS,
            )
        )


@dataclass(slots=True)
class _Work:
    """What is being done for several traces at once."""

    name: str
    kind: Kind
    began: int = field(default_factory=time.time_ns)
    parts: list[Span] = field(default_factory=list[Span])
    failed: bool = False

    def end(self, to: Export) -> None:
        """Hand over the span of each part, and the one of the whole; they have links both ways."""
        whole = Span(
            name=f"{self.name} batch",
            kind="internal",
            context=tracing.new_trace(kept=True),
            began=self.began,
            links=tuple(part.context for part in self.parts),
            attributes={"handoff.batch.size": len(self.parts)},
            failed=self.failed,
        )
        for part in self.parts:
            to(replace(part, ended=whole.ended, links=(whole.context,), failed=self.failed))
        to(whole)


_work: ContextVar[_Work | None] = ContextVar("work", default=None)


@contextmanager
def together(name: str, kind: Kind = "internal") -> Generator[None]:
    """Work on many traces at once during the block: those of which it asks for a `part`."""
    if _exporting.to is None:
        yield
        return
    work = _Work(name, kind)
    token = _work.set(work)
    try:
        yield
    except BaseException:
        work.failed = True
        raise
    finally:
        _work.reset(token)
        if work.parts:
            work.end(_exporting.to)


def fail() -> None:
    """Say that the running block's work failed, where that raises nothing."""
    if work := _work.get():
        work.failed = True


def part(parent: str | None, what: str, **ids: object) -> str | None:
    """Return the context of what the running block does below `parent`: a span of its own.

    Outside of such a block, and of a trace that nobody keeps, that is `parent` itself.
    """
    work = _work.get()
    if work is None or not tracing.is_kept(parent):
        return parent
    mine = tracing.below(parent)
    work.parts.append(
        Span(
            name=f"{work.name} {what}",
            kind=work.kind,
            context=mine,
            parent=parent,
            began=work.began,
            attributes={f"handoff.{name}": str(one) for name, one in ids.items()},
        )
    )
    return mine
