"""One topic as one hearer has it: which streams differ, found without reading all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from handoff.audit import positions
from handoff.audit.portions import Portion
from handoff.audit.positions import Buckets, Sums
from handoff.audit.report import Behind, Pair, count
from handoff.views import Connection, Views, side_by_side
from shared.contracts.catalogue import Topic

MOST_SUSPECTS = 20_000


@dataclass(slots=True)
class Comparison:
    """What is known so far.

    Attributes:
        suspects: the streams that differed when they were last looked at.
        behind: those of them that have to be level, and why they are not.
        excused: how many events were said before the hearer began, and never reached it.
        passed_over: how many more differed than are looked at one by one.
    """

    topic: Topic
    hearer: str
    publisher_views: Connection
    hearer_views: Connection
    said: Sums = field(default_factory=Sums)
    suspects: Sequence[UUID] = ()
    behind: Sequence[Behind] = ()
    excused: int = 0
    passed_over: int = 0
    kafka_answered: bool = True

    def pair(self, parked: int) -> Pair:
        """Return the numbers, once all is judged."""
        return count(
            self.topic,
            self.hearer,
            subjects=self.said.subjects,
            said=self.said.total - self.excused,
            parked=parked,
            behind=self.behind,
        )

    def suspect(self, subjects: Sequence[UUID]) -> None:
        """Add to the suspects, as long as there is room for them."""
        known = set(self.suspects)
        new = [subject for subject in subjects if subject not in known]
        room = max(0, MOST_SUSPECTS - len(known))
        self.suspects = [*self.suspects, *new[:room]]
        self.passed_over += len(new[room:])


async def compare(views: Views, comparisons: Sequence[Comparison], portion: Portion) -> None:
    """Compare sums bucket by bucket, and stream by stream where a bucket differs.

    Each side of each database is read once for all its topics.
    """
    said = await _sums(views, "said", portion)
    heard = await _sums(views, "heard", portion)
    for each in comparisons:
        there = said[each.topic.publisher].get(each.topic.name, {})
        here = heard[each.hearer].get(each.topic.name, {})
        each.said = sum(there.values(), each.said)
        unequal = [bucket for bucket in {*there, *here} if there.get(bucket) != here.get(bucket)]
        if unequal:
            each.suspect(await _unequal(each, unequal, portion))


async def _sums(views: Views, view: str, portion: Portion) -> dict[str, Buckets]:
    found = await side_by_side(positions.sums(each, view, portion) for each in views.values())
    return dict(zip(views, found, strict=True))


async def _unequal(of: Comparison, buckets: Sequence[int], portion: Portion) -> list[UUID]:
    name = of.topic.name
    there = await positions.in_buckets(of.publisher_views, "said", name, buckets, portion)
    here = await positions.in_buckets(of.hearer_views, "heard", name, buckets, portion)
    return sorted(subject for subject in {*there, *here} if there.get(subject) != here.get(subject))
