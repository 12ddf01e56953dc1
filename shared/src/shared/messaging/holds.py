"""Holds: leads of which Kafka does not take the next event, so that their later ones wait too.

The relay holds a lead (`relay`); here people let it try again, or give the event up: then it goes
out blank, under its number, and those who hear it advance.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_RELEASE = text("""
    WITH lifted AS (
        DELETE FROM outbox_held WHERE subject = ANY(:subjects) RETURNING topic, subject
    )
    SELECT count(*) FROM lifted JOIN outbox USING (topic, subject)
""")
_DISCARD = text("""
    WITH lifted AS (
        DELETE FROM outbox_held WHERE subject = ANY(:subjects) RETURNING topic, subject
    ), gone AS (
        SELECT min(id) AS id FROM lifted JOIN outbox USING (topic, subject) GROUP BY topic, subject
    )
    UPDATE outbox o SET payload = '', headers = headers || '{"blank": "discarded"}'
    FROM gone WHERE o.id = gone.id
""")


async def release(connection: AsyncConnection, subjects: Sequence[UUID]) -> int:
    """Let the relay try again what is held of these; return how many events that lets go."""
    return await connection.scalar(_RELEASE, {"subjects": list(subjects)}) or 0


async def discard(connection: AsyncConnection, subjects: Sequence[UUID]) -> int:
    """Give up the event that Kafka does not take, one a topic; return how many that were."""
    return (await connection.execute(_DISCARD, {"subjects": list(subjects)})).rowcount
