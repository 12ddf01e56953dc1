"""Each service's own invariants: what its view `broken` shows, and what it owes for what it heard.

What is so of one database is asked of it in one statement, so what is on its way does not deceive.
Where two are asked, the hearer's position is read before its effects: what it had heard by then,
it has acted on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from handoff.audit import positions
from handoff.audit.behind import Heard
from handoff.audit.portions import Named, Portion
from handoff.audit.report import Broken
from handoff.views import Connection, Views, side_by_side
from shared.contracts.catalogue import TOPICS

_MOST_A_PORTION = 1000

_BROKEN = "SELECT invariant, subject, detail FROM broken WHERE {portion} LIMIT {most}"
_OWED = "SELECT topic, type, since, effect FROM owed"
_CAUSES = """
    SELECT subject, sequence, id FROM story
    WHERE kind = 'said' AND topic = $1 AND name = $2 AND at >= $3 AND {portion}
"""
_EFFECTS = "SELECT subject, event_id FROM effect WHERE effect = $1 AND {portion}"
_EXCUSED = "SELECT subject FROM excused WHERE {portion}"
_PUBLISHERS = {topic.name: topic.publisher for topic in TOPICS}


@dataclass(frozen=True, slots=True)
class Owed:
    """What a service promises: for each event of a type, said since a time, this effect."""

    service: str
    topic: str
    type: str
    since: datetime
    effect: str


@dataclass(frozen=True, slots=True)
class Cause:
    """An event for which something is owed."""

    subject: UUID
    sequence: int
    id: UUID


async def owed(views: Views) -> list[Owed]:
    """Return what all services promise."""
    rows = await side_by_side(view.fetch(_OWED) for view in views.values())
    return [Owed(service, **row) for service, some in zip(views, rows, strict=True) for row in some]


async def broken(views: Views, promises: Sequence[Owed], portion: Portion) -> list[Broken]:
    """Return the violations in a portion, at most so many a service as fit on a report."""
    found = await side_by_side(_broken(view, name, portion) for name, view in views.items())
    unmet = [await _unmet(views, promise, portion) for promise in promises]
    return [each for some in (*found, *unmet) for each in some]


async def _broken(view: Connection, service: str, portion: Portion) -> list[Broken]:
    statement = _BROKEN.format(portion=portion.where(1), most=_MOST_A_PORTION)
    rows = await view.fetch(statement, *portion.values)
    return [Broken(service=service, **row) for row in rows]


async def _unmet(views: Views, promise: Owed, portion: Portion) -> list[Broken]:
    hearer, publisher = views[promise.service], views[_PUBLISHERS[promise.topic]]
    causes = await _causes(publisher, promise, portion)
    without = _without(causes, await _effects(hearer, promise, portion))
    if not without:
        return []
    subjects = sorted({cause.subject for cause in without})[:_MOST_A_PORTION]
    some = Named(tuple(subjects))
    heard = await positions.heard(hearer, promise.topic, subjects)
    effects = await _effects(hearer, promise, some)
    excused = await _excused(hearer, some) | await _excused(publisher, some)
    return [
        Broken(
            service=promise.service,
            invariant=_name(promise),
            subject=cause.subject,
            detail=f"{promise.type} number {cause.sequence} was heard; no {promise.effect}",
        )
        for cause in _without(without, effects)
        if cause.subject not in excused and cause.sequence <= heard.get(cause.subject, Heard()).last
    ]


async def _excused(view: Connection, portion: Portion) -> set[UUID]:
    rows = await view.fetch(_EXCUSED.format(portion=portion.where(1)), *portion.values)
    return {row["subject"] for row in rows}


async def _causes(publisher: Connection, promise: Owed, portion: Portion) -> list[Cause]:
    rows = await publisher.fetch(
        _CAUSES.format(portion=portion.where(4)),
        promise.topic,
        promise.type,
        promise.since,
        *portion.values,
    )
    return [Cause(**row) for row in rows]


async def _effects(hearer: Connection, promise: Owed, portion: Portion) -> set[UUID]:
    """Return the events that had the effect, and the subjects that have it whatever the event."""
    statement = _EFFECTS.format(portion=portion.where(2))
    rows = await hearer.fetch(statement, promise.effect, *portion.values)
    return {row["event_id"] or row["subject"] for row in rows}


def _without(causes: Sequence[Cause], effects: set[UUID]) -> list[Cause]:
    return [each for each in causes if not {each.id, each.subject} & effects]


def _name(promise: Owed) -> str:
    """Say the invariant without ids: it is a label of a metric."""
    kind = promise.type.partition(".v")[0].replace(".", "_")
    return f"{kind}_has_{promise.effect.partition(' ')[0]}"
