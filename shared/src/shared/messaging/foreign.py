"""Looks for records of our own in Kafka that our database does not know: it was restored.

Publishing on would give numbers a second time that hearers have seen already, so the relay
refuses to begin until somebody has the records taken back (`replay.taking_back`).
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared import limits
from shared.clock import utc_now
from shared.contracts.catalogue import RETENTION_DAYS, said_by
from shared.contracts.envelope import NoEnvelope, from_record
from shared.ids import first_id_of
from shared.kafka import client
from shared.kafka.bounds import bounds_of
from shared.kafka.port import Partition, Reader
from shared.kafka.topics import partitions
from shared.settings import KafkaSettings

ADVICE = (
    "Kafka holds events of this service that its database does not know: the database was restored"
    " to an earlier moment. Nothing is sent, and nothing is lost by waiting. Restore it to its"
    " latest moment; where there is none later, `handoff restore SERVICE` takes back what Kafka"
    " still has. See docs/operating.md, After restoring a database."
)
_READ_MILLISECONDS = 5000

# An older event lies in Kafka only if it was published again, and the archive may have let it go.
_UNKNOWN = text("""
    SELECT id FROM unnest(CAST(:ids AS uuid[])) AS r (id)
    WHERE id >= :oldest
      AND NOT EXISTS (SELECT FROM outbox o WHERE o.event_id = r.id)
      AND NOT EXISTS (SELECT FROM outbox_archive a WHERE a.event_id = r.id)
""")


async def records(engine: AsyncEngine, settings: KafkaSettings, service: str) -> list[str]:
    """Return the ids of the newest records on the service's topics that its database lacks."""
    async with asyncio.timeout(limits.KAFKA_READ):
        ids = await _newest(settings, service)
    if not ids:
        return []
    async with engine.connect() as connection:
        return [str(each) for each in await unknown(connection, ids)]


async def unknown(connection: AsyncConnection, ids: Sequence[UUID]) -> set[UUID]:
    """Return those of the events that this database neither is to send nor has sent."""
    oldest = first_id_of(utc_now() - timedelta(days=RETENTION_DAYS))
    rows = await connection.execute(_UNKNOWN, {"ids": list(ids), "oldest": oldest})
    return {row.id for row in rows}


async def _newest(settings: KafkaSettings, service: str) -> list[UUID]:
    """Return the event id of the last record of each partition that has one."""
    reader = client.reader(settings)
    try:
        await client.start(reader)
        places = [p for topic in said_by(service) for p in partitions(settings, topic)]
        known = await bounds_of(reader, places)
        wanted = {p: end for p, end in known.end.items() if end > known.first[p]}
        reader.assign(list(wanted))
        for partition, end in wanted.items():
            reader.seek(partition, end - 1)
        return await _read(reader, wanted)
    finally:
        await client.stop(reader)


async def _read(reader: Reader, wanted: dict[Partition, int]) -> list[UUID]:
    ids: list[UUID] = []
    missing = set(wanted)
    while missing:
        found = await reader.getmany(*missing, timeout_ms=_READ_MILLISECONDS)
        if not found:
            raise TimeoutError("the brokers did not give the last records of our topics")
        for partition, some in found.items():
            missing.discard(partition)
            try:
                last = some[-1]
                ids.append(
                    from_record(topic=last.topic, value=last.value, headers=last.headers).event_id
                )
            except NoEnvelope:
                continue  # somebody else wrote here: not ours to judge
    return ids
