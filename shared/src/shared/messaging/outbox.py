"""The outbox: what a transaction says is written in that transaction, and sent by the relay later.

Whoever calls holds the locks of the subjects, so the number drawn here is the order of commits.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.catalogue import topic_of
from shared.contracts.envelope import Envelope
from shared.contracts.event import Event
from shared.database.bulk import Insert
from shared.database.direct import Row, Statement
from shared.ids import new_id
from shared.messaging.tables import outbox
from shared.telemetry import spans, tracing


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something was said: the event or request before it, and the story both belong to."""

    correlation_id: UUID
    causation_id: UUID | None = None
    traceparent: str | None = None

    @classmethod
    def of_request(cls) -> "Cause":
        """The request that is being answered began a story of its own."""
        return cls(correlation_id=new_id(), traceparent=tracing.current())

    @classmethod
    def of(cls, envelope: Envelope) -> "Cause":
        """The event in this envelope was heard."""
        trace = spans.part(envelope.traceparent, envelope.kind, subject=envelope.subject)
        return cls(envelope.correlation_id, envelope.event_id, trace)

    def headers(self) -> dict[str, str]:
        """Return what stands beside the event in the outbox."""
        parts = {
            "correlation_id": self.correlation_id,
            "causation_id": self.causation_id,
            "traceparent": self.traceparent,
        }
        return {name: str(part) for name, part in parts.items() if part is not None}


Said = tuple[Event, Cause]

_NUMBER = Statement("""
    INSERT INTO said_stream AS s (topic, subject, last_sequence)
    SELECT topic, subject, times FROM unnest(
        CAST(:topics AS text[]), CAST(:subjects AS uuid[]), CAST(:times AS bigint[])
    ) AS r (topic, subject, times) ORDER BY subject, topic
    ON CONFLICT (topic, subject)
    DO UPDATE SET last_sequence = s.last_sequence + excluded.last_sequence
    RETURNING topic, subject, last_sequence
""")
# What was said of these streams after the database went back to before their next events.
_TAKE_OUT = Statement("""
    WITH gone AS (
        DELETE FROM outbox o USING unnest(
            CAST(:topics AS text[]), CAST(:subjects AS uuid[]), CAST(:firsts AS bigint[]),
            CAST(:times AS timestamptz[])
        ) AS r (topic, subject, first, said_at)
        WHERE o.topic = r.topic AND o.subject = r.subject
          AND (o.sequence >= r.first OR o.created_at > r.said_at)
        RETURNING o.*
    ), counted AS (
        SELECT topic, subject, count(*) AS times FROM gone GROUP BY topic, subject
    ), given_back AS (
        UPDATE said_stream s SET last_sequence = s.last_sequence - c.times
        FROM counted c WHERE s.topic = c.topic AND s.subject = c.subject
    )
    SELECT event_id, topic, subject, sequence, type, payload, headers, created_at
    FROM gone ORDER BY id
""")
_RAISE = Statement("""
    INSERT INTO said_stream AS s (topic, subject, last_sequence)
    SELECT topic, subject, last FROM unnest(
        CAST(:topics AS text[]), CAST(:subjects AS uuid[]), CAST(:lasts AS bigint[])
    ) AS r (topic, subject, last) ORDER BY subject, topic
    ON CONFLICT (topic, subject)
    DO UPDATE SET last_sequence = greatest(s.last_sequence, excluded.last_sequence)
""")
# What hearers keep of a subject only ever moves to a higher version: what waits must be above.
_RAISE_VERSIONS = Statement("""
    WITH late AS (
        SELECT o.id, o.subject, told, (told ->> CAST(:name AS text))::int AS had, r.version
        FROM unnest(
            CAST(:topics AS text[]), CAST(:subjects AS uuid[]), CAST(:sequences AS bigint[]),
            CAST(:versions AS int[])
        ) AS r (topic, subject, sequence, version)
        JOIN outbox o ON o.topic = r.topic AND o.subject = r.subject AND o.sequence > r.sequence
                     AND o.payload <> ''
        CROSS JOIN LATERAL (SELECT convert_from(o.payload, 'UTF8')::jsonb AS told) t
    ), raised AS (
        SELECT subject, max(version) + 1 - min(had) AS by
        FROM late GROUP BY subject HAVING max(version) >= min(had)
    ), written AS (
        UPDATE outbox o SET payload = convert_to(
            jsonb_set(told, ARRAY[CAST(:name AS text)], to_jsonb(had + by))::text, 'UTF8'
        )
        FROM late l JOIN raised r USING (subject) WHERE o.id = l.id
    )
    SELECT subject, by FROM raised
""")
_INSERT = Insert(
    outbox,
    columns=["event_id", "topic", "subject", "sequence", "type", "payload", "headers"],
)
_INSERT_AGAIN = Insert(outbox, columns=[each.name for each in outbox.columns if each.name != "id"])


@dataclass(frozen=True, slots=True)
class Known:
    """Events of one stream that were said, and are known again: their numbers, and since when."""

    topic: str
    subject: UUID
    first: int
    last: int
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Counted:
    """An event that is known again, and the version of its subject that it tells."""

    topic: str
    subject: UUID
    sequence: int
    version: int


async def say(connection: AsyncConnection, events: Sequence[Event], cause: Cause) -> list[UUID]:
    """Say events that one cause led to, in their order; return their ids. Never commits."""
    return await say_all(connection, [(event, cause) for event in events])


async def say_all(connection: AsyncConnection, said: Sequence[Said]) -> list[UUID]:
    """Say the events of a whole batch by two statements; return their ids. Never commits."""
    if not said:
        return []
    times = Counter((topic_of(type(event)), event.subject) for event, _ in said)
    last = await _number(connection, times)
    rows: list[dict[str, Any]] = []
    for event, cause in said:
        stream = (topic_of(type(event)), event.subject)
        rows.append(_row(event, cause, sequence=last[stream] - times[stream] + 1))
        times[stream] -= 1
    await _INSERT.run(connection, rows)
    return [row["event_id"] for row in rows]


async def take_out(connection: AsyncConnection, known: Sequence[Known]) -> Sequence[Row]:
    """Take out what was said after events of which this database did not know, with its numbers.

    Nobody was sent it: the relay refuses, and whoever calls holds its lease.
    """
    values = {
        "topics": [each.topic for each in known],
        "subjects": [each.subject for each in known],
    }
    rows = await _TAKE_OUT.rows(
        connection,
        **values,
        firsts=[each.first for each in known],
        times=[each.said_at for each in known],
    )
    await _RAISE.run(connection, **values, lasts=[each.last for each in known])
    return rows


async def say_again(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    """Put back what was taken out: the same events, in their order, under the next numbers."""
    if not rows:
        return
    times = Counter((row.topic, row.subject) for row in rows)
    last = await _number(connection, times)
    again: list[dict[str, Any]] = []
    for row in rows:
        stream = row.topic, row.subject
        again.append({**row, "sequence": last[stream] - times[stream] + 1})
        times[stream] -= 1
    await _INSERT_AGAIN.run(connection, again)


async def raise_versions(
    connection: AsyncConnection, name: str, known: Sequence[Counted]
) -> dict[UUID, int]:
    """Raise the version, a field of the events, of what waits behind events that are known again.

    Return by how much, for each subject whose versions had been given out twice.
    """
    last = {(each.topic, each.subject): each for each in known}.values()
    rows = await _RAISE_VERSIONS.rows(
        connection,
        name=name,
        topics=[each.topic for each in last],
        subjects=[each.subject for each in last],
        sequences=[each.sequence for each in last],
        versions=[each.version for each in last],
    )
    return {row.subject: row.by for row in rows}


async def _number(
    connection: AsyncConnection, times: Counter[tuple[str, UUID]]
) -> dict[tuple[str, UUID], int]:
    rows = await _NUMBER.rows(
        connection,
        topics=[topic for topic, _ in times],
        subjects=[subject for _, subject in times],
        times=list(times.values()),
    )
    return {(row.topic, row.subject): row.last_sequence for row in rows}


def _row(event: Event, cause: Cause, *, sequence: int) -> dict[str, Any]:
    return {
        "event_id": new_id(),
        "topic": topic_of(type(event)),
        "subject": event.subject,
        "sequence": sequence,
        "type": event.wire_type(),
        "payload": event.to_wire(),
        "headers": cause.headers(),
    }
