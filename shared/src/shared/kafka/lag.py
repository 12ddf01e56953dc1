"""How far a consumer group is behind, as the brokers know it: asked by clients of its own.

A member's own client cannot be asked: it is the one that may be stuck.
"""

# pyright: basic
# aiokafka does not type what its admin client answers.

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient

from shared import limits
from shared.kafka import client
from shared.kafka.admin import administrator
from shared.kafka.bounds import Bounds, bounds_of
from shared.kafka.port import Partition
from shared.kafka.topics import partitions
from shared.settings import KafkaSettings


class Reading(NamedTuple):
    """How far a group has read a partition: the next offset to be read, and the end."""

    next: int
    end: int

    @property
    def lag(self) -> int:
        """How many records wait."""
        return self.end - self.next


async def of_group(
    settings: KafkaSettings, *, group: str, topics: Sequence[str]
) -> dict[Partition, Reading]:
    """Return how far a group has read each partition of its topics.

    Raises:
        KafkaError, OSError, TimeoutError: the brokers do not say; then nobody knows.
    """
    places = [place for topic in topics for place in partitions(settings, topic)]
    async with asyncio.timeout(limits.KAFKA_READ):
        async with administrator(settings) as admin:
            read = await committed(admin, settings, group)
        known = await _bounds(settings, places)
    return {p: Reading(max(read.get(p, -1), known.first[p]), known.end[p]) for p in places}


async def committed(
    admin: AIOKafkaAdminClient, settings: KafkaSettings, group: str
) -> dict[Partition, int]:
    """Return the offsets that a group committed; of a partition without any there is none, or -1.

    Raises:
        KafkaError, OSError: the brokers do not say.
    """
    found = await admin.list_consumer_group_offsets(client.group_name(settings, group))
    return {Partition(each.topic, each.partition): at.offset for each, at in found.items()}


async def _bounds(settings: KafkaSettings, places: Sequence[Partition]) -> Bounds:
    reader = client.reader(settings)
    try:
        await client.start(reader)
        return await bounds_of(reader, places)
    finally:
        await client.stop(reader)
