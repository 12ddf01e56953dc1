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
from shared.contracts.catalogue import PARTITIONS
from shared.kafka import client
from shared.kafka.port import Partition
from shared.kafka.topics import physical
from shared.settings import KafkaSettings


class Place(NamedTuple):
    """Where a group stands in a partition: the next offset to be read, and the end."""

    next: int
    end: int

    @property
    def lag(self) -> int:
        """How many records wait."""
        return self.end - self.next


async def of_group(
    settings: KafkaSettings, *, group: str, topics: Sequence[str]
) -> dict[Partition, Place]:
    """Return where a group stands in each partition of its topics.

    Raises:
        KafkaError, OSError, TimeoutError: the brokers do not say; then nobody knows.
    """
    partitions = [Partition(physical(settings, t), n) for t in topics for n in range(PARTITIONS)]
    async with asyncio.timeout(limits.KAFKA_READ):
        committed = await _committed(settings, client.group_name(settings, group))
        first, ends = await _bounds(settings, partitions)
    return {p: Place(max(committed.get(p, -1), first[p]), ends[p]) for p in partitions}


async def _committed(settings: KafkaSettings, group: str) -> dict[Partition, int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    try:
        await admin.start()
        found = await admin.list_consumer_group_offsets(group)
    finally:
        async with asyncio.timeout(limits.KAFKA_STOP):
            await admin.close()
    return {Partition(each.topic, each.partition): at.offset for each, at in found.items()}


async def _bounds(
    settings: KafkaSettings, partitions: Sequence[Partition]
) -> tuple[dict[Partition, int], dict[Partition, int]]:
    reader = client.reader(settings)
    try:
        await client.start(reader)
        return await reader.beginning_offsets(partitions), await reader.end_offsets(partitions)
    finally:
        await client.stop(reader)
