"""Each service's own invariants: what its view `broken` shows, and what it owes for what it heard.

What is so of one database is asked of it in one statement, so what is on its way does not deceive.
Where two are asked, the hearer's position is read before its effects: what it had heard by then,
it has acted on.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from handoff.audit import positions
from handoff.audit.portions import Named, Portion, named
from handoff.audit.report import Broken
from handoff.views import Connection, Views, side_by_side
from shared.contracts.catalogue import TOPICS

_MOST_A_PORTION = 1000

# What a lead is said to be, and the database does not know since it was restored, is no news; that
# numbers are in order must hold all the same.
_BROKEN = """
    SELECT invariant, subject, detail,
           invariant NOT IN ('said_once_in_order', 'parked_or_heard')
           AND EXISTS (SELECT FROM restored r WHERE r.subject = b.subject) AS restored
    FROM broken b WHERE {portion} LIMIT {most}
"""
_OWED = "SELECT topic, type, since, effect FROM owed"
_CAUSES = """
    SELECT subject, sequence, id, name, at FROM story
    WHERE kind = 'said' AND topic = $1 AND name = ANY($2) AND at >= $3 AND {portion}
"""
_EFFECTS = "SELECT effect, subject, event_id FROM effect WHERE effect = ANY($1) AND {portion}"
_EXCUSED = "SELECT subject FROM excused WHERE {portion}"
Effects = set[tuple[str, UUID]]
"""What was made, each for an event or for a subject."""

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
class Debt:
    """One event for which something is owed."""

    promise: Owed
    subject: UUID
    sequence: int
    event_id: UUID

    def is_paid(self, effects: Effects) -> bool:
        """Tell whether the event had its effect, or the subject has it whatever the event."""
        effect = self.promise.effect
        return (effect, self.event_id) in effects or (effect, self.subject) in effects


async def owed(views: Views) -> list[Owed]:
    """Return what all services promise."""
    rows = await side_by_side(view.fetch(_OWED) for view in views.values())
    return [Owed(service, **row) for service, some in zip(views, rows, strict=True) for row in some]


async def broken(views: Views, promises: Sequence[Owed], portion: Portion) -> list[Broken]:
    """Return the violations in a portion, at most so many a service as fit on a report."""
    found = await side_by_side(_broken(view, name, portion) for name, view in views.items())
    unmet = [await _unmet(views, some, portion) for some in _by_stream(promises)]
    return [each for some in (*found, *unmet) for each in some]


async def _broken(view: Connection, service: str, portion: Portion) -> list[Broken]:
    statement = _BROKEN.format(portion=portion.where(1), most=_MOST_A_PORTION)
    rows = await view.fetch(statement, *portion.values)
    return [Broken(service=service, **row) for row in rows]


def _by_stream(promises: Sequence[Owed]) -> Iterable[Sequence[Owed]]:
    """Put together what one service owes for the events of one topic: they are read once."""
    together: dict[tuple[str, str], list[Owed]] = defaultdict(list)
    for each in promises:
        together[each.service, each.topic].append(each)
    return together.values()


async def _unmet(views: Views, promises: Sequence[Owed], portion: Portion) -> list[Broken]:
    service, topic = promises[0].service, promises[0].topic
    hearer, publisher = views[service], views[_PUBLISHERS[topic]]
    debts = await _debts(publisher, promises, portion)
    unpaid = _unpaid(debts, await _effects(hearer, promises, portion))
    if not unpaid:
        return []
    excused = await _excused(hearer, portion) | await _excused(publisher, portion)
    owing: dict[UUID, list[Debt]] = defaultdict(list)
    for debt in unpaid:
        if debt.subject not in excused:
            owing[debt.subject].append(debt)
    unmet: list[Debt] = []
    for some in named(owing):
        if len(unmet) < _MOST_A_PORTION:
            few = [debt for subject in some.subjects for debt in owing[subject]]
            unmet += await _still_unpaid(hearer, few, some)
    return [_broken_promise(debt) for debt in unmet]


async def _still_unpaid(hearer: Connection, debts: Sequence[Debt], some: Named) -> list[Debt]:
    """Return those of the debts to some subjects that were heard, and have had no effect since."""
    promises = list({debt.promise for debt in debts})
    heard = await positions.heard(hearer, promises[0].topic, some.subjects)
    effects = await _effects(hearer, promises, some)
    return [
        debt
        for debt in _unpaid(debts, effects)
        if debt.subject in heard and debt.sequence <= heard[debt.subject].last
    ]


async def _excused(view: Connection, portion: Portion) -> set[UUID]:
    rows = await view.fetch(_EXCUSED.format(portion=portion.where(1)), *portion.values)
    return {row["subject"] for row in rows}


async def _debts(publisher: Connection, promises: Sequence[Owed], portion: Portion) -> list[Debt]:
    rows = await publisher.fetch(
        _CAUSES.format(portion=portion.where(4)),
        promises[0].topic,
        [each.type for each in promises],
        min(each.since for each in promises),
        *portion.values,
    )
    return [
        Debt(promise, row["subject"], row["sequence"], row["id"])
        for row in rows
        for promise in promises
        if promise.type == row["name"] and promise.since <= row["at"]
    ]


async def _effects(hearer: Connection, promises: Sequence[Owed], portion: Portion) -> Effects:
    statement = _EFFECTS.format(portion=portion.where(2))
    rows = await hearer.fetch(statement, [each.effect for each in promises], *portion.values)
    return {(row["effect"], row["event_id"] or row["subject"]) for row in rows}


def _unpaid(debts: Sequence[Debt], effects: Effects) -> list[Debt]:
    return [each for each in debts if not each.is_paid(effects)]


def _broken_promise(debt: Debt) -> Broken:
    """Say the invariant without ids: it is a label of a metric."""
    promise = debt.promise
    kind = promise.type.partition(".v")[0].replace(".", "_")
    return Broken(
        service=promise.service,
        invariant=f"{kind}_has_{promise.effect.partition(' ')[0]}",
        subject=debt.subject,
        detail=f"{promise.type} number {debt.sequence} was heard; no {promise.effect}",
    )
