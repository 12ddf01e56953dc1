"""Moves what a merged lead has to the lead that it became, finished tasks included.

The caller holds both locks, and has saved what use cases changed.
"""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_MOVE = (
    text("UPDATE task SET lead_id = :into WHERE lead_id = :merged"),
    text("DELETE FROM lead WHERE id = :merged"),
)


async def move(connection: AsyncConnection, merged: UUID, *, into: UUID) -> None:
    """Move everything."""
    for statement in _MOVE:
        await connection.execute(statement, {"merged": merged, "into": into})
