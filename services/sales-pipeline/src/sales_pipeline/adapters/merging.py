"""Moves what a merged lead has to the lead that it became, whatever was not loaded included.

The caller holds both locks, and has saved what use cases changed: of two open deals one has ended.
"""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_MOVE = tuple(
    text(statement)
    for statement in (
        "UPDATE deal SET lead_id = :into WHERE lead_id = :merged",
        "UPDATE timeline_entry SET lead_id = :into WHERE lead_id = :merged",
        "UPDATE sales_order SET lead_id = :into WHERE lead_id = :merged",
        """UPDATE sales_order o SET customer_id = kept.id
           FROM customer gone, customer kept
           WHERE gone.lead_id = :merged AND kept.lead_id = :into AND o.customer_id = gone.id""",
        "DELETE FROM customer WHERE lead_id = :merged",
        "DELETE FROM lead WHERE id = :merged",
    )
)


async def move(connection: AsyncConnection, merged: UUID, *, into: UUID) -> None:
    """Move everything."""
    for statement in _MOVE:
        await connection.execute(statement, {"merged": merged, "into": into})
