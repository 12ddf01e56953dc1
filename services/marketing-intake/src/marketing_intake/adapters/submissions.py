"""Submissions that wait for their outcome: read in order of receipt, ended in bulk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from marketing_intake.domain.submission import Resolution
from shared.database.direct import Driver, Statement
from shared.database.partitions import DayTable

_PLACES = 1_000


@dataclass(frozen=True, slots=True)
class Pending:
    """A submission without outcome, and the number under which its resolution is recorded."""

    id: UUID
    source_id: UUID
    body: bytes
    received_at: datetime
    content_hash: bytes | None
    traceparent: str | None
    resolution: int


class OutOfStep(Exception):
    """Somebody else was at the same submissions or persons: roll back, read them again."""


_PENDING = Statement("""
    WITH waiting AS MATERIALIZED (
        SELECT s.id, s.source_id, s.body, s.received_at, s.content_hash, s.traceparent
        FROM submission s WHERE s.state = 'received' ORDER BY s.id LIMIT :most
    ), batch AS MATERIALIZED (
        SELECT nextval('submission_batch') AS number, clock_timestamp() AS now
        WHERE EXISTS (SELECT FROM waiting)
    )
    SELECT * FROM waiting, batch ORDER BY id
""")
# Of those that have no outcome yet; said of both sides, because a plain `outcome IS NULL` seemed so
# rare to a planner without statistics that it walked over all submissions to find them.
_END = Statement("""
    WITH ended AS (
        SELECT * FROM unnest(
            CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:reasons AS text[]),
            CAST(:leads AS uuid[]), CAST(:numbers AS bigint[])
        ) AS r (id, state, reason, lead_id, number)
    ), done AS (
        UPDATE submission s
        SET state = r.state, reason = r.reason, lead_id = r.lead_id, resolution = r.number,
            resolved_at = clock_timestamp(), updated_at = clock_timestamp(),
            body = CASE WHEN r.reason = 'erased' THEN ''::bytea ELSE s.body END,
            sender = CASE WHEN r.reason = 'erased' THEN '{}'::jsonb ELSE s.sender END,
            content_hash = CASE WHEN r.reason = 'erased' THEN NULL ELSE s.content_hash END
        FROM ended r WHERE s.id = r.id AND (s.outcome IS NULL) = (r.state IS NOT NULL)
        RETURNING s.id, s.source_id, s.key, s.state, s.reason, s.lead_id
    ), keyed AS (
        UPDATE submission_key k
        SET outcome = d.state, reason = d.reason, lead_id = d.lead_id,
            hash = CASE WHEN d.reason = 'erased' THEN ''::bytea ELSE k.hash END
        FROM done d WHERE d.key IS NOT NULL AND k.source_id = d.source_id AND k.key = d.key
    )
    SELECT count(*) FROM done
""")
_PARK = text("""
    UPDATE submission SET state = 'parked', reason = :reason, updated_at = clock_timestamp()
    WHERE id = :id AND outcome IS NULL
""")
_RETRY = text("""
    UPDATE submission SET state = 'received', reason = NULL, updated_at = clock_timestamp()
    WHERE id = :id AND state = 'parked'
""")
# Each state as a literal, or the index on it, which leaves most states out, is not used.
_OLDEST_OF = """
    coalesce(extract(epoch FROM clock_timestamp() - (
        SELECT received_at FROM submission WHERE state = '{0}' ORDER BY id LIMIT 1
    )), 0)::float8 AS {0}
"""
_OLDEST = text(f"SELECT {','.join(map(_OLDEST_OF.format, ('received', 'waiting', 'parked')))}")


def submissions_by_day(days: int) -> DayTable:
    """Return the table by day; one without an outcome keeps its day, however old it is."""
    without_outcome = "state IN ('received', 'waiting', 'parked')"
    return DayTable("submission", column="id", kind="uuid7", days=days, needed=without_outcome)


async def pending(
    connection: AsyncConnection | Driver, *, most: int
) -> tuple[Sequence[Pending], datetime | None]:
    """Return the submissions that are to be resolved, in order of receipt, and the time.

    Never read on from a watermark: ids of later commits may be lower.
    """
    rows = await _PENDING.rows(connection, most=most)
    if not rows:
        return (), None
    found = [
        Pending(
            id=row.id,
            source_id=row.source_id,
            body=row.body,
            received_at=row.received_at,
            content_hash=row.content_hash,
            traceparent=row.traceparent,
            resolution=row.number * _PLACES + place,
        )
        for place, row in enumerate(rows)
    ]
    return found, rows[0].now


async def end(
    connection: AsyncConnection, batch: Sequence[Pending], resolutions: Sequence[Resolution]
) -> None:
    """Give the submissions their outcomes.

    Raises:
        OutOfStep: one of them has an outcome already.
    """
    numbers = {one.id: one.resolution for one in batch}
    ended = await _END.value(
        connection,
        ids=[one.submission_id for one in resolutions],
        states=[one.outcome for one in resolutions],
        reasons=[one.reason for one in resolutions],
        leads=[one.lead_id for one in resolutions],
        numbers=[numbers[one.submission_id] for one in resolutions],
    )
    if ended != len(batch):
        raise OutOfStep


async def park(connection: AsyncConnection, submission_id: UUID, *, reason: str) -> None:
    """Step over a submission, with the reason, until somebody asks for another try."""
    await connection.execute(_PARK, {"id": submission_id, "reason": reason})


async def retry(connection: AsyncConnection, submission_id: UUID) -> bool:
    """Let a parked submission be resolved again; tell whether it was parked."""
    return (await connection.execute(_RETRY, {"id": submission_id})).rowcount == 1


async def oldest_unresolved(connection: AsyncConnection) -> dict[str, float]:
    """Return for each state before an outcome the age in seconds of its oldest submission, or 0."""
    return dict((await connection.execute(_OLDEST)).mappings().one())
