"""How much of what its topics hold a hearer has yet to read: the offsets of its group tell.

What was read and had no effect is lost, however soon one looks; the rest may be just late.
"""

import asyncio
import contextlib

from aiokafka.errors import KafkaError
from tests.faults.rig.rig import Rig

from handoff.audit.marks import open_groups
from shared.contracts.catalogue import PARTITIONS, heard_by
from shared.kafka import client
from shared.kafka.port import Partition
from shared.kafka.topics import physical

_ANSWER_SECONDS = 10.0


async def has_read_all(rig: Rig, service: str) -> bool:
    """Tell whether a hearer is at the end of its topics; where Kafka does not say, it is not."""
    with contextlib.suppress(KafkaError, OSError, TimeoutError):
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await _unread(rig, service.replace("_", "-")) == 0
    return False


async def _unread(rig: Rig, hearer: str) -> int | None:
    places = {
        Partition(physical(rig.kafka, topic), number): (topic, number)
        for topic in heard_by(hearer)
        for number in range(PARTITIONS)
    }
    reader = client.reader(rig.kafka)
    await reader.start()
    try:
        ends = await reader.end_offsets(list(places))
    finally:
        await client.stop(reader)
    async with open_groups(rig.kafka) as groups:
        marks = await groups.marks(hearer)
    if marks is None:
        return None
    return sum(max(0, end - marks.get(places[place], 0)) for place, end in ends.items())
