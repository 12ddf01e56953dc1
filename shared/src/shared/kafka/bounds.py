"""How far partitions reach, as their leaders know it."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared import limits
from shared.kafka.port import Partition, Reader


@dataclass(frozen=True, slots=True)
class Bounds:
    """From which offset on a partition has records, and which the next one will have."""

    first: Mapping[Partition, int]
    end: Mapping[Partition, int]


async def bounds_of(reader: Reader, partitions: Iterable[Partition]) -> Bounds:
    """Ask the brokers.

    All partitions at once, because a reader that was assigned a topic is told of no other any more.

    Raises:
        KafkaError, TimeoutError: they do not say, as where a topic is missing.
    """
    wanted = list(partitions)
    async with asyncio.timeout(limits.BROKER_TELLS):
        first = await reader.beginning_offsets(wanted)
        return Bounds(first, await reader.end_offsets(wanted))
