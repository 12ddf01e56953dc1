"""Forgetting a person in the tables that all services have: the tombstone, and blank archives.

The service blanks its own tables. What waits in the outbox goes out blank, under its numbers: so
nothing that Kafka does not take holds up the very event that erases. What Kafka has already, it
forgets by retention.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.catalogue import TOPIC_OF
from shared.messaging import parking

ERASING_TYPES = [event.wire_type() for event in TOPIC_OF if event.erases]

_TOMBSTONE = text("""
    UPDATE subject SET erased_at = coalesce(erased_at, clock_timestamp()), parked_as = NULL
    WHERE id = ANY(:subjects)
""")
# Before the archive, and in the relay's order. What the relay is moving there just now is waited
# for here, so the archive's statement sees it; what it finds locked by us, it moves blank.
_BLANK_OUTBOX = text("""
    UPDATE outbox o SET payload = '' FROM (
        SELECT id FROM outbox
        WHERE subject = ANY(:subjects) AND payload <> '' AND type <> ALL(:erasing)
        ORDER BY id FOR UPDATE
    ) waiting WHERE o.id = waiting.id
""")
_BLANK_ARCHIVE = text("""
    UPDATE outbox_archive SET payload = ''
    WHERE subject = ANY(:subjects) AND payload <> '' AND type <> ALL(:erasing)
""")
_LIFT_HOLDS = text("DELETE FROM outbox_held WHERE subject = ANY(:subjects)")
_DROP_ANSWERS = text("DELETE FROM idempotency WHERE subject = ANY(:subjects)")


async def blank(connection: AsyncConnection, subjects: Sequence[UUID]) -> None:
    """Make the subjects tombstones, here and now; the caller holds their locks.

    What is parked of them is passed over: their positions move past it, and its rows go. So do the
    answers that are kept for an `Idempotency-Key` and tell of them.
    """
    values = {"subjects": list(subjects)}
    await connection.execute(_TOMBSTONE, values)
    await parking.pass_over(connection, subjects)
    await connection.execute(_BLANK_OUTBOX, values | {"erasing": ERASING_TYPES})
    await connection.execute(_BLANK_ARCHIVE, values | {"erasing": ERASING_TYPES})
    await connection.execute(_LIFT_HOLDS, values)
    await connection.execute(_DROP_ANSWERS, values)
