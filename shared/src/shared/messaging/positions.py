"""Loads and saves the positions of many subjects' streams: one statement each way."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database.bulk import Upsert
from shared.database.direct import Statement
from shared.messaging.records import Delivery
from shared.messaging.stream import Position, Standing, Streams
from shared.messaging.subjects import Subject
from shared.messaging.tables import stream

_LOAD = Statement("""
    SELECT 'heard' AS what, topic, subject, last_sequence AS sequence, last_event_id AS event_id
    FROM stream WHERE subject = ANY(:subjects)
    UNION ALL
    SELECT reason, topic, subject, sequence, event_id
    FROM parked_event WHERE subject = ANY(:subjects)
    UNION ALL
    SELECT 'said', type, subject, sequence, cause FROM taken_back WHERE subject = ANY(:subjects)
""")
_LAST = text("SELECT topic, subject, last_sequence FROM stream WHERE subject = ANY(:subjects)")
_SAVE = Upsert(
    stream,
    key=("topic", "subject"),
    columns=("topic", "subject", "last_sequence", "last_event_id", "heard_at"),
)


async def load(connection: AsyncConnection, locked: Mapping[UUID, Subject]) -> dict[UUID, Streams]:
    """Return what is known of each subject's streams; the subjects are locked."""
    standings = {
        subject.id: Standing(subject.parked_as, subject.erased_at is not None)
        for subject in locked.values()
    }
    found = {
        name: Streams(subject, standing=standings[subject.id]) for name, subject in locked.items()
    }
    for row in await _LOAD.rows(connection, subjects=list(locked)):
        if row.what == "heard":
            found[row.subject].positions[row.topic] = Position(row.sequence, row.event_id)
        elif row.what == "said":
            found[row.subject].remember(wire_type=row.topic, cause=row.event_id)
        else:
            found[row.subject].parked.add((row.topic, row.sequence))
    return found


async def unheard(connection: AsyncConnection, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Return those above their position as it stands now; it only ever rises, lock or no lock."""
    subjects = list({delivery.envelope.subject for delivery in deliveries})
    rows = await connection.execute(_LAST, {"subjects": subjects})
    last = {(row.topic, row.subject): row.last_sequence for row in rows}
    return [
        delivery
        for delivery in deliveries
        if delivery.envelope.sequence
        > last.get((delivery.envelope.topic, delivery.envelope.subject), 0)
    ]


async def save(connection: AsyncConnection, streams: Iterable[tuple[UUID, Streams]]) -> None:
    """Write the positions that moved."""
    rows = [
        {
            "topic": topic,
            "subject": name,
            "last_sequence": known.positions[topic].last_sequence,
            "last_event_id": known.positions[topic].last_event_id,
            "heard_at": known.subject.locked_at,
        }
        for name, known in streams
        for topic in known.moved
    ]
    await _SAVE.run(connection, rows)
