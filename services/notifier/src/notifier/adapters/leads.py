"""Loads and saves what is known of leads."""

from collections.abc import Collection, Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.adapters.tables import lead
from notifier.usecases.desk import KnownLead
from shared.contracts.lead import LeadCard
from shared.database.bulk import Upsert
from shared.ids import LeadId

_LOAD = text("SELECT * FROM lead WHERE id = ANY(:ids)")
_SAVE = Upsert(lead)


async def load(connection: AsyncConnection, ids: Collection[LeadId]) -> dict[LeadId, KnownLead]:
    """Load leads."""
    rows = await connection.execute(_LOAD, {"ids": list(ids)})
    return {
        row.id: KnownLead(
            id=row.id,
            version=row.version,
            card=LeadCard.model_validate(row.card),
            disqualified_by=row.disqualified_by,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row in rows
    }


async def save(connection: AsyncConnection, leads: Iterable[KnownLead]) -> None:
    """Save leads, new and changed ones alike."""
    rows = [
        {
            "id": each.id,
            "version": each.version,
            "card": each.card.model_dump(mode="json", exclude_none=True),
            "disqualified_by": each.disqualified_by,
            "created_at": each.created_at,
            "updated_at": each.updated_at,
        }
        for each in leads
    ]
    await _SAVE.run(connection, rows)
