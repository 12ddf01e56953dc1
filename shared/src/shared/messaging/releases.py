"""Releases of all leads that are parked for one cause: an order for each, done lead by lead.

So one that fails again stays parked and stops no other, a death loses nothing, and each lead's own
history shows it. What a cause is says the view `parked_cause`.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.ids import new_id

_ONE_AT_A_TIME = text("LOCK TABLE parking_release IN SHARE ROW EXCLUSIVE MODE")
_WRITE = text("""
    INSERT INTO parking_release (id, cause, type, reason, actor)
    VALUES (:id, :cause, :type, :reason, :actor)
""")
_MATCHES = """
    c.cause = :cause AND (CAST(:type AS text) IS NULL OR c.type = :type)
    AND (CAST(:reason AS text) IS NULL OR c.reason = :reason)
"""
_ORDER = text(f"""
    INSERT INTO parking_order (id, verb, subject, actor, release_id)
    SELECT gen_random_uuid(), 'release', subject, :actor, :id
    FROM (SELECT DISTINCT c.subject FROM parked_cause c WHERE {_MATCHES}) s
    WHERE NOT EXISTS (
        SELECT FROM parking_order o WHERE o.subject = s.subject AND o.done_at IS NULL
    )
""")  # noqa: S608  our own text
_UNDER_WAY = text(f"""
    SELECT o.release_id FROM parked_cause c JOIN parking_order o ON o.subject = c.subject
    WHERE {_MATCHES} AND o.done_at IS NULL ORDER BY o.release_id NULLS LAST LIMIT 1
""")  # noqa: S608  our own text
_LOOK = text("""
    SELECT r.id, r.cause, r.type, r.reason, r.actor, r.asked_at, count(o.id) AS leads,
           count(o.done_at) AS done, count(o.error) AS failing, max(o.done_at) AS done_at,
           coalesce(sum(o.count), 0) AS events
    FROM parking_release r LEFT JOIN parking_order o ON o.release_id = r.id
    WHERE r.id = :id GROUP BY r.id
""")


class NoSuchCause(Exception):
    """No lead is parked for this cause, or none any more."""


@dataclass
class UnderWay(Exception):
    """All that is parked for this cause is being released already; perhaps by one release."""

    release_id: UUID | None


@dataclass(frozen=True, slots=True)
class Cause:
    """What leads are chosen by: the kind of error, and where asked the kind of event and reason."""

    cause: str
    type: str | None = None
    reason: str | None = None

    def values(self) -> dict[str, str | None]:
        """Return what the statements need."""
        return {"cause": self.cause, "type": self.type, "reason": self.reason}


async def ask(connection: AsyncConnection, cause: Cause, *, actor: str) -> UUID:
    """Write an order for each lead that is parked for this cause; return the release's id.

    Raises:
        NoSuchCause: there is none; roll back.
        UnderWay: each has an open order already; roll back.
    """
    await connection.execute(_ONE_AT_A_TIME)
    release_id = new_id()
    values = {"id": release_id, "actor": actor, **cause.values()}
    await connection.execute(_WRITE, values)
    if (await connection.execute(_ORDER, values)).rowcount == 0:
        row = (await connection.execute(_UNDER_WAY, cause.values())).one_or_none()
        raise UnderWay(row.release_id) if row else NoSuchCause(cause.cause)
    return release_id


async def look(connection: AsyncConnection, release_id: UUID) -> Row[Any] | None:
    """Return how far a release is."""
    return (await connection.execute(_LOOK, {"id": release_id})).one_or_none()
