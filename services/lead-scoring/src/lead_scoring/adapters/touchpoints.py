"""Keeps what the rules saw of touchpoints, so that another scorecard can be applied to them."""

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from lead_scoring.adapters.tables import touchpoint
from lead_scoring.domain.rating import Touchpoint
from shared.database.bulk import Insert

_HISTORY = text("""
    SELECT t.lead_id, t.event_id, t.occurred_at, t.submitted, t.facts
    FROM unnest(CAST(:ids AS uuid[])) AS l (id)
    JOIN LATERAL (
        SELECT * FROM touchpoint WHERE lead_id = l.id ORDER BY lead_id, id DESC LIMIT 1000
    ) t ON true
    ORDER BY t.lead_id, t.id
""").columns(touchpoint.c.lead_id, facts=JSONB)
_INSERT = Insert(touchpoint, columns=["lead_id", "event_id", "occurred_at", "submitted", "facts"])


async def load(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, list[Touchpoint]]:
    """Load the latest 1,000 touchpoints of each lead, in the order in which they were heard."""
    found: dict[UUID, list[Touchpoint]] = {}
    for row in await connection.execute(_HISTORY, {"ids": list(ids)}):
        seen = Touchpoint(
            event_id=row.event_id,
            occurred_at=row.occurred_at,
            submitted=row.submitted,
            facts=row.facts,
        )
        found.setdefault(row.lead_id, []).append(seen)
    return found


async def save(connection: AsyncConnection, heard: Iterable[tuple[UUID, Touchpoint]]) -> None:
    """Add touchpoints, each lead's in the order in which they were heard."""
    rows = [
        {
            "lead_id": lead_id,
            "event_id": seen.event_id,
            "occurred_at": seen.occurred_at,
            "submitted": seen.submitted,
            "facts": dict(seen.facts),
        }
        for lead_id, seen in heard
    ]
    await _INSERT.run(connection, rows)
