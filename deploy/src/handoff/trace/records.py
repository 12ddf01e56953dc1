"""Looks whether the records of a lead are in Kafka where the archives say.

Kafka not answering is no error: then nothing is said about it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from aiokafka.errors import KafkaError

from handoff.trace.story import InKafka, Step
from shared.contracts.envelope import NoEnvelope, from_record
from shared.kafka import client
from shared.kafka.bounds import bounds_of
from shared.kafka.port import Partition, Reader
from shared.kafka.topics import physical
from shared.settings import KafkaSettings

Found = Mapping[UUID, InKafka]

_ANSWER_SECONDS = 15.0
_RECORD_MILLISECONDS = 2_000


async def look(settings: KafkaSettings | None, steps: Sequence[Step]) -> Found | None:
    """Return for each sent event what is at its place; None: Kafka does not answer."""
    sent = [step for step in steps if step.kind == "said" and step.offset is not None]
    if settings is None:
        return None
    reader = client.reader(settings)
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            await reader.start()
            return await _look(reader, settings, sent)
    except (KafkaError, OSError, TimeoutError):
        return None
    finally:
        await client.stop(reader)


async def _look(reader: Reader, settings: KafkaSettings, sent: Sequence[Step]) -> Found:
    places = {(_partition(settings, step), step.offset or 0): step for step in sent}
    partitions = sorted({partition for partition, _ in places})
    if not partitions:
        return {}
    known = await bounds_of(reader, partitions)
    found: dict[UUID, InKafka] = {}
    for (partition, offset), step in places.items():
        if step.id is None:
            continue
        if offset < known.first[partition]:
            found[step.id] = "expired"
        elif offset >= known.end[partition]:
            found[step.id] = "lost"
        else:
            found[step.id] = await _compare(reader, partition, offset, step.id)
    return found


async def _compare(reader: Reader, partition: Partition, offset: int, event_id: UUID) -> InKafka:
    reader.assign([partition])
    reader.seek(partition, offset)
    batches = await reader.getmany(timeout_ms=_RECORD_MILLISECONDS, max_records=1)
    for record in batches.get(partition, ()):
        try:
            envelope = from_record(topic=record.topic, value=record.value, headers=record.headers)
        except NoEnvelope:
            return "another"
        same = record.offset == offset and envelope.event_id == event_id
        return "there" if same else "another"
    return "expired"


def _partition(settings: KafkaSettings, step: Step) -> Partition:
    return Partition(physical(settings, step.topic or ""), step.partition or 0)
