"""Moves what a merged lead has to the lead that it became, finished tasks included.

The caller holds both locks, and has saved what use cases changed.
"""

from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.ids import LeadId

_MOVE = (
    text("UPDATE task SET lead_id = :into WHERE lead_id = :merged"),
    text("DELETE FROM lead WHERE id = :merged"),
)


async def move(connection: AsyncConnection, merged: Iterable[tuple[LeadId, LeadId]]) -> None:
    """Move everything, merge by merge, in the order in which they were heard."""
    for gone, into in merged:
        for statement in _MOVE:
            await connection.execute(statement, {"merged": gone, "into": into})
