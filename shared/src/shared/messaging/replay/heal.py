"""Heal: reads a range of topics again, by a reader of its own, in the way of the live consumer.

The reader joins no group and commits no offset. What was heard is a duplicate, what is missing
takes effect, a gap parks its stream alone: all that is decided under the subject's lock, so it is
safe beside the live consumer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from shared import crash_points
from shared.kafka import client
from shared.kafka.bounds import bounds_of
from shared.kafka.port import Partition, Reader
from shared.kafka.record import Record
from shared.messaging.plan import Effects
from shared.messaging.records import Delivery, Stranger, take_apart
from shared.messaging.replay.orders import Keep, Order
from shared.messaging.replay.ranges import Range, find
from shared.settings import KafkaSettings

_MOST_RECORDS = 200
_POLL_MILLISECONDS = 1000
_SHOWN_AS = {
    "applied": "applied",
    "ignored": "passed",
    "passed": "passed",
    "duplicate": "duplicates",
    "parked": "parked",
    "taken_back": "taken_back",
    "renumbered": "renumbered",
    "dropped": "dropped",
}


class Taker(Protocol):
    """What becomes of the records: an effect (`Hearing`), or a judgement only (`Rehearsal`).

    Of a service's own records: they are taken back (`TakingBack`).
    """

    @property
    def effects(self) -> Effects:
        """What became of events since it was emptied."""
        ...

    async def take(self, deliveries: Sequence[Delivery], strangers: Sequence[Stranger]) -> None:
        """See a batch through."""
        ...

    def turn(self) -> None:
        """Begin with other partitions: no subject of those before comes again."""
        ...


@dataclass(slots=True)
class Heal:
    """Carries out one order."""

    settings: KafkaSettings
    taker: Taker
    order: Order
    keep: Keep

    async def run(self) -> bool:
        """Read until the end of the ranges; False where it was told to stop before.

        Raises:
            WrongOrder: the order names what is not there.
            Exception: of Kafka or the database; the order's place says where to go on.
        """
        reader = client.reader(self.settings)
        try:
            await client.start(reader)
            ranges = await self._ranges(reader)
            for number in sorted({each.partition for each in ranges}):
                self.taker.turn()
                some = [each for each in ranges if each.partition == number]
                if not await self._read(reader, ranges, some):
                    return False
            return True
        finally:
            await client.stop(reader)

    async def _ranges(self, reader: Reader) -> list[Range]:
        """Return what is left of the order's ranges; they are found once and kept with it."""
        if self.order.place is None:
            ranges = await find(reader, self.settings, self.order.wanted)
            self.order.place = [asdict(each) for each in ranges]
            await self.keep(self.order)
        return [Range(**each) for each in self.order.place]

    async def _read(self, reader: Reader, ranges: Sequence[Range], some: Sequence[Range]) -> bool:
        """Read the same partition of every topic together: it has all of a lead."""
        left = {each.place(self.settings): each for each in some if each.next < each.end}
        reader.assign(list(left))
        for place, each in left.items():
            reader.seek(place, each.next)
        while left:
            found = await reader.getmany(
                *left, timeout_ms=_POLL_MILLISECONDS, max_records=_MOST_RECORDS
            )
            if found:
                await self._take(left, found)
                crash_points.reach("replay.after_batch")
            else:
                await _shorten(reader, left)
            left = {place: each for place, each in left.items() if each.next < each.end}
            self.order.place = [asdict(each) for each in ranges]
            if not await self.keep(self.order):
                return False
        return True

    async def _take(
        self, left: Mapping[Partition, Range], found: Mapping[Partition, Sequence[Record]]
    ) -> None:
        deliveries: list[Delivery] = []
        strangers: list[Stranger] = []
        for place, records in found.items():
            mine, others = take_apart(
                left[place].topic, [each for each in records if each.offset < left[place].end]
            )
            deliveries += mine
            strangers += others
        try:
            await self.taker.take(deliveries, strangers)
        finally:
            self._count()
        for each in [d.envelope for d in deliveries] + list(strangers):
            self.order.count(each.topic, "read")
        for stranger in strangers:
            self.order.count(stranger.topic, "unreadable")
        for place, records in found.items():
            left[place].next = records[-1].offset + 1

    def _count(self) -> None:
        for (topic, effect), events in self.taker.effects.items():
            self.order.count(topic, _SHOWN_AS[effect], events)
        self.taker.effects.clear()


async def _shorten(reader: Reader, left: Mapping[Partition, Range]) -> None:
    """Where nothing comes: leave out what is no longer there, lest it be waited for."""
    known = await bounds_of(reader, left)
    for place, each in left.items():
        if known.first[place] >= each.end or each.next >= known.end[place]:
            each.next = each.end
