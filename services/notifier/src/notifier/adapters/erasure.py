"""Forgets persons: blanks what the notifier knows of them, and ends what was to be done for them.

That a task was done, by whom and when, stays; whom it was about does not.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_BLANK_CARDS = text("""
    UPDATE lead SET card = '{}', updated_at = clock_timestamp() WHERE id = ANY(:leads)
""")
_CANCEL_TASKS = text("""
    UPDATE task
    SET state = 'cancelled', cause = 'lead_erased', next_at = NULL,
        finished_at = clock_timestamp(), updated_at = clock_timestamp(), version = version + 1
    WHERE lead_id = ANY(:leads) AND finished_at IS NULL
""")
_BLANK_TITLES = text("UPDATE task SET title = '' WHERE lead_id = ANY(:leads) AND title <> ''")


async def forget(connection: AsyncConnection, leads: Sequence[UUID]) -> None:
    """Blank the persons; the caller holds their locks, and may name leads not known here."""
    for statement in (_BLANK_CARDS, _CANCEL_TASKS, _BLANK_TITLES):
        await connection.execute(statement, {"leads": list(leads)})
