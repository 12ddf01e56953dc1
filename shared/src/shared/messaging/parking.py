"""Parking: events that cannot be applied now, kept raw with the reason, in their order.

Poison parks its lead in this service, all topics; a gap parks that stream alone. Releasing and
discarding are orders that the worker carries out (`release`), by the same handler and lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.contracts.envelope import Envelope, from_record
from shared.database.bulk import Insert
from shared.loggers import get_logger
from shared.messaging.records import Delivery, Stranger
from shared.messaging.tables import parked_event, unreadable_record

log = get_logger(__name__)

_COLUMNS = [
    "topic", "subject", "sequence", "event_id", "type", "reason", "value", "headers",
    "partition", "offset", "error", "traceback",
]  # fmt: skip
_INSERT = Insert(parked_event, columns=_COLUMNS, ignore_repeats=True)
_UNREADABLE = Insert(unreadable_record, ignore_repeats=True)
_MARK = text("UPDATE subject SET parked_as = :reason WHERE id = :subject AND erased_at IS NULL")
_LOAD = text("""
    SELECT * FROM parked_event WHERE subject = ANY(:subjects) AND reason = ANY(:reasons)
    ORDER BY subject, id
""")
_FAIL_AGAIN = text("""
    UPDATE parked_event SET reason = :reason, error = :error, traceback = :traceback
    WHERE id = :parked_id
""")
_DELETE = text("DELETE FROM parked_event WHERE id = ANY(:ids)")
_ADVANCE = text("""
    INSERT INTO stream AS s (topic, subject, last_sequence, last_event_id, heard_at)
    SELECT DISTINCT ON (topic, subject) topic, subject, sequence, event_id, clock_timestamp()
    FROM parked_event WHERE subject = ANY(:subjects)
    ORDER BY topic, subject, sequence DESC
    ON CONFLICT (topic, subject) DO UPDATE
    SET last_sequence = excluded.last_sequence, last_event_id = excluded.last_event_id,
        heard_at = excluded.heard_at
    WHERE excluded.last_sequence > s.last_sequence
""")
_DROP = text("DELETE FROM parked_event WHERE subject = ANY(:subjects)")
_DROP_CONFLICTS = text("""
    DELETE FROM parked_event WHERE subject = ANY(:subjects) AND reason = 'conflict'
""")
_ERROR_LENGTH = 500
_TRACEBACK_LENGTH = 20_000


@dataclass(frozen=True, slots=True)
class Parked:
    """One event to park, and why."""

    delivery: Delivery
    reason: str
    error: str | None = None
    traceback: str | None = None

    def row(self) -> dict[str, Any]:
        """Return its row of `parked_event`."""
        envelope = self.delivery.envelope
        return {
            "topic": envelope.topic,
            "subject": envelope.subject,
            "sequence": envelope.sequence,
            "event_id": envelope.event_id,
            "type": f"{envelope.kind}.v{envelope.version}",
            "reason": self.reason,
            "value": envelope.data,
            "headers": _headers(envelope),
            "partition": self.delivery.partition,
            "offset": self.delivery.offset,
            "error": self.error and self.error[:_ERROR_LENGTH],
            "traceback": self.traceback and self.traceback[-_TRACEBACK_LENGTH:],
        }


async def park(connection: AsyncConnection, parked: Sequence[Parked]) -> None:
    """Write the events; one that is parked already stays as it is."""
    await _INSERT.run(connection, [each.row() for each in parked])


async def keep_strangers(engine: AsyncEngine, strangers: Sequence[Stranger]) -> None:
    """Keep records that belong to no lead, in a commit of their own: they hold nobody up."""
    if strangers:
        log.error("unreadable_records", count=len(strangers), first=strangers[0].error)
        async with engine.begin() as connection:
            await _UNREADABLE.run(connection, [stranger.row() for stranger in strangers])


async def mark(connection: AsyncConnection, subject: UUID, reason: str) -> None:
    """Park the whole lead, as `poison` or `conflict`."""
    await connection.execute(_MARK, {"subject": subject, "reason": reason})


async def load(
    connection: AsyncConnection, subjects: Sequence[UUID], reasons: Sequence[str]
) -> dict[UUID, list[Delivery]]:
    """Return what is parked of these subjects for these reasons, in the order of arrival."""
    rows = await connection.execute(_LOAD, {"subjects": list(subjects), "reasons": list(reasons)})
    found: dict[UUID, list[Delivery]] = {}
    for row in rows:
        found.setdefault(row.subject, []).append(_delivery(row))
    return found


async def fail_again(connection: AsyncConnection, parked: Parked) -> None:
    """Write why an event stays parked that was tried once more."""
    await connection.execute(_FAIL_AGAIN, {**parked.row(), "parked_id": parked.delivery.parked_id})


async def unpark(connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
    """Delete the rows of events that were dealt with."""
    ids = [delivery.parked_id for delivery in deliveries if delivery.parked_id is not None]
    if ids:
        await connection.execute(_DELETE, {"ids": ids})


async def drop_conflicts(connection: AsyncConnection, subjects: Sequence[UUID]) -> int:
    """Drop events that came under a number which another had; return how many that were."""
    return (await connection.execute(_DROP_CONFLICTS, {"subjects": list(subjects)})).rowcount


async def pass_over(connection: AsyncConnection, subjects: Sequence[UUID]) -> int:
    """Move the subjects' positions past all that is parked of them; return how many that were."""
    values = {"subjects": list(subjects)}
    await connection.execute(_ADVANCE, values)
    return (await connection.execute(_DROP, values)).rowcount


def _headers(envelope: Envelope) -> dict[str, str]:
    return {name: raw.decode() for name, raw in envelope.headers()}


def _delivery(row: Row[Any]) -> Delivery:
    headers = [(name, value.encode()) for name, value in row.headers.items()]
    envelope = from_record(topic=row.topic, value=row.value, headers=headers)
    return Delivery(envelope, row.partition, row.offset, parked_id=row.id)
