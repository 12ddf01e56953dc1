"""The archive: what Kafka acked, as it was said, and where it lies; it can be sent again from here.

Which rows are sent, and when, is the business of the relay and of `replay.republish`.
"""

from collections.abc import Sequence

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database.direct import Driver, Statement
from shared.messaging.erasure import ERASING_TYPES
from shared.messaging.records import Delivery
from shared.messaging.sending import Acked

KEPT = """
    CASE WHEN r.type = ANY(:erasing)
           OR (SELECT s.erased_at FROM subject s WHERE s.id = r.subject) IS NULL
         THEN r.payload ELSE '' END
"""
"""What is kept of the row `r`: nothing where its lead was erased, unless it is what erases."""

# By key and place in a sorted array, not by a join with it: on a table without statistics a join
# was planned as a walk over the whole outbox for each row. (array_position would walk the array.)
_NTH = "width_bucket(r.id, CAST(:ids AS bigint[]))"
_PARTITION = f"(CAST(:partitions AS int[]))[{_NTH}]"
_OFFSET = f"(CAST(:offsets AS bigint[]))[{_NTH}]"
_PUT = Statement(f"""
    WITH gone AS (
        DELETE FROM outbox WHERE id = ANY(CAST(:ids AS bigint[])) RETURNING *
    )
    INSERT INTO outbox_archive (id, event_id, topic, subject, sequence, type, payload, headers,
                                created_at, partition, "offset")
    SELECT r.id, r.event_id, r.topic, r.subject, r.sequence, r.type, {KEPT}, r.headers,
           r.created_at, {_PARTITION}, {_OFFSET}
    FROM gone r
""")  # noqa: S608  our own text
# The proof says where the record lies now; the older one may be gone.
_MOVE = text(f"""
    UPDATE outbox_archive r SET partition = {_PARTITION}, "offset" = {_OFFSET}
    WHERE id = ANY(CAST(:ids AS bigint[]))
""")  # noqa: S608  our own text
# What Kafka has already and this database did not know: its ids come after all that it knows.
_TAKE_BACK = Statement(f"""
    INSERT INTO outbox_archive (id, event_id, topic, subject, sequence, type, payload, headers,
                                created_at, partition, "offset")
    SELECT nextval(pg_get_serial_sequence('outbox', 'id')), r.event_id, r.topic, r.subject,
           r.sequence, r.type, {KEPT}, r.headers::jsonb, r.created_at, r.partition, r.place
    FROM (
        SELECT * FROM unnest(
            CAST(:event_id AS uuid[]), CAST(:topic AS text[]), CAST(:subject AS uuid[]),
            CAST(:sequence AS bigint[]), CAST(:type AS text[]), CAST(:payload AS bytea[]),
            CAST(:headers AS text[]), CAST(:created_at AS timestamptz[]),
            CAST(:partition AS int[]), CAST(:place AS bigint[])
        ) WITH ORDINALITY AS u (event_id, topic, subject, sequence, type, payload, headers,
                                created_at, partition, place, nth)
        ORDER BY nth
    ) AS r
""")  # noqa: S608  our own text


async def put(connection: AsyncConnection | Driver, acked: Acked) -> None:
    """Move rows of the outbox here, in one statement."""
    await _PUT.run(connection, **_places(acked), erasing=ERASING_TYPES)


async def take_back(connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
    """Keep events that Kafka has as what was sent, in their order; their leads are locked."""
    rows = [_taken_back(each) for each in deliveries]
    values = {name: [row[name] for row in rows] for name in rows[0]}
    await _TAKE_BACK.run(connection, **values, erasing=ERASING_TYPES)


async def move(connection: AsyncConnection, acked: Acked) -> None:
    """Say where rows that were sent again lie now."""
    await connection.execute(_MOVE, _places(acked))


def _taken_back(delivery: Delivery) -> dict[str, object]:
    envelope = delivery.envelope
    headers = {
        "correlation_id": str(envelope.correlation_id),
        "causation_id": str(envelope.causation_id) if envelope.causation_id else None,
        "traceparent": envelope.traceparent,
        "blank": envelope.blank,
    }
    return {
        "event_id": envelope.event_id,
        "topic": envelope.topic,
        "subject": envelope.subject,
        "sequence": envelope.sequence,
        "type": f"{envelope.kind}.v{envelope.version}",
        "payload": envelope.data,
        "headers": orjson.dumps({k: v for k, v in headers.items() if v is not None}).decode(),
        "created_at": envelope.said_at,
        "partition": delivery.partition,
        "place": delivery.offset,
    }


def _places(acked: Acked) -> dict[str, object]:
    ids = sorted(acked)
    return {
        "ids": ids,
        "partitions": [acked[each].partition for each in ids],
        "offsets": [acked[each].offset for each in ids],
    }
