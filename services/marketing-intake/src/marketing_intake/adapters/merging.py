"""Moves what a merged lead has to the lead that it became; the caller holds both locks."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_MOVE = tuple(
    text(statement)
    for statement in (
        "UPDATE identity_key SET lead_id = :into WHERE lead_id = :merged",
        """INSERT INTO lead_phone (phone, lead_id, created_at)
           SELECT phone, :into, created_at FROM lead_phone WHERE lead_id = :merged
           ON CONFLICT DO NOTHING""",
        "DELETE FROM lead_phone WHERE lead_id = :merged",
        "UPDATE touchpoint SET lead_id = :into WHERE lead_id = :merged",
        "UPDATE consent SET lead_id = :into WHERE lead_id = :merged",
        "UPDATE submission SET lead_id = :into WHERE lead_id = :merged",
        "UPDATE submission_key SET lead_id = :into WHERE lead_id = :merged",
        """INSERT INTO suggested_duplicate (lead_id, like_id, created_at)
           SELECT :into, CASE lead_id WHEN :merged THEN like_id ELSE lead_id END, created_at
           FROM suggested_duplicate
           WHERE (lead_id = :merged AND like_id <> :into)
              OR (like_id = :merged AND lead_id <> :into)
           ON CONFLICT DO NOTHING""",
        "DELETE FROM suggested_duplicate WHERE lead_id = :merged OR like_id = :merged",
        "UPDATE lead SET merged_into = :into WHERE merged_into = :merged",
    )
)


async def move(connection: AsyncConnection, merged: UUID, *, into: UUID) -> None:
    """Move everything that leads to a merged lead, so that it leads to the one that stays."""
    for statement in _MOVE:
        await connection.execute(statement, {"merged": merged, "into": into})
