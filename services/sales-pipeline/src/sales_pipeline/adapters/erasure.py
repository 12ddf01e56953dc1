"""Forgets persons: blanks what the pipeline knows of them, and ends what was open.

What was sold for how much stays: an order is the firm's, the name on it was the person's.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_BLANK_CARDS = text("""
    UPDATE lead SET card = '{}', updated_at = clock_timestamp() WHERE id = ANY(:leads)
""")
# A plain `outcome IS NULL` would let a planner without statistics read all open deals.
_END_DEALS = text("""
    UPDATE deal
    SET outcome = 'erased', closed_at = clock_timestamp(), updated_at = clock_timestamp(),
        version = version + 1
    WHERE lead_id = ANY(:leads) AND coalesce(outcome, 'open') = 'open'
""")
_BLANK_REASONS = text("""
    UPDATE deal SET close_reason = NULL WHERE lead_id = ANY(:leads) AND close_reason IS NOT NULL
""")
_BLANK_TIMELINES = text("""
    UPDATE timeline_entry SET text = NULL, updated_at = clock_timestamp()
    WHERE lead_id = ANY(:leads) AND text IS NOT NULL
""")
_BLANK_CUSTOMERS = text("""
    UPDATE customer SET name = NULL, updated_at = clock_timestamp() WHERE lead_id = ANY(:leads)
""")


async def forget(connection: AsyncConnection, leads: Sequence[UUID]) -> None:
    """Blank the persons; the caller holds their locks, and may name leads not known here."""
    for statement in (
        _BLANK_CARDS,
        _END_DEALS,
        _BLANK_REASONS,
        _BLANK_TIMELINES,
        _BLANK_CUSTOMERS,
    ):
        await connection.execute(statement, {"leads": list(leads)})
