"""Loads and saves what is known of leads."""

from collections.abc import Collection, Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sales_pipeline.adapters.tables import lead
from sales_pipeline.usecases.desk import KnownLead
from shared.contracts.lead import LeadCard
from shared.database.bulk import Upsert
from shared.ids import LeadId

_LOAD = text("SELECT * FROM lead WHERE id = ANY(:ids)")
_SAVE = Upsert(lead)


async def load(connection: AsyncConnection, ids: Collection[LeadId]) -> dict[LeadId, KnownLead]:
    """Load the cards of leads."""
    rows = await connection.execute(_LOAD, {"ids": list(ids)})
    return {
        row.id: KnownLead(
            id=row.id,
            version=row.version,
            card=LeadCard.model_validate(row.card),
            merged_version=row.merged_version,
            scored_version=row.scored_version,
            score=row.score,
            grade=row.grade,
            judged_version=row.judged_version,
            disqualified=row.disqualified,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row in rows
    }


async def save(connection: AsyncConnection, known: Iterable[KnownLead]) -> None:
    """Save what is known of leads; they are locked."""
    rows = [
        {
            "id": each.id,
            "version": each.version,
            "card": each.card.model_dump(mode="json", exclude_none=True),
            "merged_version": each.merged_version,
            "scored_version": each.scored_version,
            "score": each.score,
            "grade": each.grade,
            "judged_version": each.judged_version,
            "disqualified": each.disqualified,
            "created_at": each.created_at,
            "updated_at": each.updated_at,
        }
        for each in known
    ]
    await _SAVE.run(connection, rows)
