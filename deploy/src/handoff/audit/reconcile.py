"""Reconciles what was said with what was heard, and asks each service for its invariants.

Goes through the leads portion by portion. What differs is looked at again until it is level or the
time is up, and what is broken once more at the end: what was on its way a moment ago is no news.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from handoff.audit import invariants, positions
from handoff.audit.advice import advice
from handoff.audit.behind import SETTLES
from handoff.audit.comparison import Comparison, compare
from handoff.audit.judging import judge
from handoff.audit.marks import Groups, open_groups
from handoff.audit.portions import Portion, everything, lately, named
from handoff.audit.report import Broken, Report
from handoff.audit.topics import Tell, read_topics
from handoff.site import Site
from handoff.views import Views, open_views, side_by_side
from shared.clock import utc_now
from shared.contracts.catalogue import TOPICS

_LOOK_EVERY = 0.5
_MOST_VIOLATIONS = 10_000


def tell_nobody(_what: str, _count: int) -> None:
    """Serve whoever shows no progress."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at: what moved since a time, or everything.

    Attributes:
        watched: subjects that are looked at in any case.
        topics: whether the records in Kafka are read too.
    """

    since: datetime | None = None
    watched: Collection[UUID] = ()
    topics: bool = False

    def portions(self, views: Views) -> AsyncIterator[Portion]:
        """Go through it."""
        if self.since is None:
            return everything(views)
        return lately(views, self.since, watched=self.watched)


@dataclass(slots=True)
class _Found:
    comparisons: Sequence[Comparison]
    promises: Sequence[invariants.Owed]
    broken: list[Broken] = field(default_factory=list[Broken])


async def reconcile(
    site: Site, *, wait: float, scope: Scope | None = None, tell: Tell = tell_nobody
) -> Report:
    """Return what is not as it should be, after up to `wait` seconds for what is on its way.

    Raises:
        NoDatabase, asyncpg.PostgresError: a database does not answer, or no more.
        KafkaError, NoTopics: the topics are to be read, and Kafka does not give them.
    """
    scope = scope or Scope()
    began, at = time.monotonic(), utc_now()
    async with open_views(site) as views, open_groups(site.kafka) as groups:
        in_kafka = await read_topics(site.kafka, views, tell=tell) if scope.topics else None
        found = _Found(_comparisons(views), await invariants.owed(views))
        await _go_through(views, scope, found, tell)
        await _settle(found.comparisons, groups, wait, tell)
        found.broken = await _still_broken(views, found, tell)
        parked = dict(
            zip(views, await side_by_side(map(positions.parked, views.values())), strict=True)
        )
    behind = [each for comparison in found.comparisons for each in comparison.behind]
    return Report(
        checked_at=at,
        since=scope.since,
        seconds=round(time.monotonic() - began, 3),
        kafka_answered=all(each.kafka_answered for each in found.comparisons),
        pairs=[
            each.pair(parked[each.hearer].get(each.topic.name, 0)) for each in found.comparisons
        ],
        behind=behind,
        passed_over=sum(each.passed_over for each in found.comparisons),
        violations=[each for each in found.broken if not each.restored],
        restored=[each for each in found.broken if each.restored],
        kafka=in_kafka,
        advice=advice(behind, found.broken, in_kafka),
    )


def _comparisons(views: Views) -> list[Comparison]:
    return [
        Comparison(topic, hearer, views[topic.publisher], views[hearer])
        for topic in TOPICS
        for hearer in topic.hearers
    ]


async def _go_through(views: Views, scope: Scope, found: _Found, tell: Tell) -> None:
    async for portion in scope.portions(views):
        tell("leads compared", max(each.said.subjects for each in found.comparisons))
        await compare(views, found.comparisons, portion)
        if len(found.broken) < _MOST_VIOLATIONS:
            found.broken += await invariants.broken(views, found.promises, portion)


async def _settle(
    comparisons: Sequence[Comparison], groups: Groups, wait: float, tell: Tell
) -> None:
    end = time.monotonic() + wait
    while True:
        if not await _judge_all(comparisons, groups, tell) or time.monotonic() >= end:
            return
        await asyncio.sleep(_LOOK_EVERY)


async def _still_broken(views: Views, found: _Found, tell: Tell) -> list[Broken]:
    """Ask once more, of those alone that were broken before."""
    again: list[Broken] = []
    for portion in named({each.subject for each in found.broken}):
        tell("leads still break an invariant", len(again))
        again += await invariants.broken(views, found.promises, portion)
    return again


async def _judge_all(comparisons: Sequence[Comparison], groups: Groups, tell: Tell) -> bool:
    """Judge all suspects anew; tell whether some may yet settle."""
    for each in comparisons:
        if each.suspects:
            await judge(each, groups)
            tell("streams are on their way", _unsettled(comparisons))
    return _unsettled(comparisons) > 0


def _unsettled(comparisons: Sequence[Comparison]) -> int:
    return sum(found.state in SETTLES for each in comparisons for found in each.behind)
