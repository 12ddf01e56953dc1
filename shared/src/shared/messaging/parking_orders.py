"""Orders about what is parked of a lead, as rows: what was asked, and how far it is.

The API writes and reads them; `orders` carries them out, in the worker.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.ids import new_id

_ASK = text("""
    INSERT INTO parking_order (id, verb, subject, actor, reason)
    VALUES (:id, :verb, :subject, :actor, :reason)
""")
_LOOK = text("SELECT * FROM parking_order WHERE id = :id")


async def ask(
    connection: AsyncConnection, *, verb: str, subject: UUID, actor: str, reason: str | None
) -> UUID:
    """Write an order; return its id."""
    order_id = new_id()
    values = {"id": order_id, "verb": verb, "subject": subject, "actor": actor, "reason": reason}
    await connection.execute(_ASK, values)
    return order_id


async def look(connection: AsyncConnection, order_id: UUID) -> Row[Any] | None:
    """Return an order as it stands; `done_at` is empty while the worker has not come to it."""
    return (await connection.execute(_LOOK, {"id": order_id})).one_or_none()
