"""Which records a heal reads: a bounded range of each partition, found before it begins.

What comes after the end is the live consumer's.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared import limits
from shared.kafka.bounds import Bounds, bounds_of
from shared.kafka.port import Partition, Reader
from shared.kafka.topics import partitions, physical
from shared.messaging.replay.orders import Wanted, WrongOrder
from shared.settings import KafkaSettings

_MILLISECONDS = 1000


@dataclass(slots=True)
class Range:
    """A part of a partition that is to be read: from `next` on, `end` excluded."""

    topic: str
    partition: int
    next: int
    end: int

    def place(self, settings: KafkaSettings) -> Partition:
        """Return its partition under the physical name."""
        return Partition(physical(settings, self.topic), self.partition)


async def find(reader: Reader, settings: KafkaSettings, wanted: Wanted) -> list[Range]:
    """Return the ranges that an order names, the empty ones left out.

    Raises:
        WrongOrder: it names offsets that are not there.
        TimeoutError: the brokers do not answer.
    """
    if wanted.partition is not None:
        return [await _by_offset(reader, settings, wanted)]
    places = {place: topic for topic in wanted.topics for place in partitions(settings, topic)}
    known = await bounds_of(reader, places)
    starts = await _at(reader, known, wanted.since)
    ends = await _at(reader, known, wanted.until)
    return [
        Range(topic, place.partition, starts[place], ends[place])
        for place, topic in places.items()
        if starts[place] < ends[place]
    ]


async def _at(reader: Reader, known: Bounds, moment: datetime | None) -> Mapping[Partition, int]:
    """Return where the records of a time begin, or the end where there are none yet."""
    if moment is None:
        return known.end
    milliseconds = max(0, int(moment.timestamp() * _MILLISECONDS))
    async with asyncio.timeout(limits.BROKER_TELLS):
        found = await reader.offsets_for_times(dict.fromkeys(known.end, milliseconds))
    return {
        place: end if (first := found.get(place)) is None else first.offset
        for place, end in known.end.items()
    }


async def _by_offset(reader: Reader, settings: KafkaSettings, wanted: Wanted) -> Range:
    number, start, last = wanted.partition, wanted.from_offset, wanted.to_offset
    if number is None or start is None or last is None:
        raise WrongOrder("partition", "partition goes with from_offset and to_offset: add them")
    [topic] = wanted.topics
    place = Partition(physical(settings, topic), number)
    known = await bounds_of(reader, [place])
    first, end = known.first[place], known.end[place]
    where = f"partition {number} of {topic}"
    if first == end:
        raise WrongOrder("partition", f"{where} holds no record: choose another")
    if last >= end:
        raise WrongOrder("to_offset", f"{where} ends with offset {end - 1}: choose one up to that")
    if start < first:
        raise WrongOrder(
            "from_offset",
            f"{where} begins with offset {first}: choose one from there on, or have what was"
            " before it republished",
        )
    return Range(topic, number, start, last + 1)
