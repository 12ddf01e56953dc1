"""One topic as one hearer has it: which streams differ, found without reading all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from handoff.audit import positions
from handoff.audit.positions import Sums
from handoff.audit.report import Behind, Pair, count
from handoff.views import Connection, Views
from shared.contracts.catalogue import Topic


@dataclass(slots=True)
class Comparison:
    """What is known so far.

    Attributes:
        suspects: the streams that differed when they were last looked at.
        behind: those of them that have to be level, and why they are not.
        excused: how many events were said before the hearer began, and never reached it.
    """

    topic: Topic
    hearer: str
    publisher_views: Connection
    hearer_views: Connection
    said: Sums = field(default_factory=Sums)
    suspects: Sequence[UUID] = ()
    behind: Sequence[Behind] = ()
    excused: int = 0
    kafka_answered: bool = True

    async def pair(self) -> Pair:
        """Return the numbers, once all is judged."""
        return count(
            self.topic,
            self.hearer,
            subjects=self.said.subjects,
            said=self.said.total - self.excused,
            parked=await positions.parked(self.hearer_views, self.topic.name),
            behind=self.behind,
        )


async def compare(views: Views, topic: Topic, hearer: str) -> Comparison:
    """Compare sums bucket by bucket, and stream by stream where a bucket differs."""
    found = Comparison(topic, hearer, views[topic.publisher], views[hearer])
    said = await positions.sums(found.publisher_views, "said", topic.name)
    heard = await positions.sums(found.hearer_views, "heard", topic.name)
    found.said = sum(said.values(), Sums())
    unequal = [each for each in {*said, *heard} if said.get(each) != heard.get(each)]
    if unequal:
        there = await positions.in_buckets(found.publisher_views, "said", topic.name, unequal)
        here = await positions.in_buckets(found.hearer_views, "heard", topic.name, unequal)
        found.suspects = sorted(
            subject for subject in {*there, *here} if there.get(subject) != here.get(subject)
        )
    return found
