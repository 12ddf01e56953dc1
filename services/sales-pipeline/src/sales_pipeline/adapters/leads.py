"""Loads and saves what is known of leads."""

from collections.abc import Collection, Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

from sales_pipeline.adapters.tables import lead
from sales_pipeline.usecases.known_lead import Judged, KnownLead, Scored
from shared import aliases
from shared.contracts.lead import LeadCard
from shared.database.bulk import Upsert
from shared.database.direct import reading
from shared.ids import LeadId, read_id

_LOAD = reading(lead, "WHERE id = ANY(:ids)")
_SAVE = Upsert(lead)


async def load(connection: AsyncConnection, ids: Collection[LeadId]) -> dict[LeadId, KnownLead]:
    """Load the cards of leads."""
    rows = await _LOAD.rows(connection, ids=list(ids))
    return {
        row.id: KnownLead(
            id=row.id,
            version=row.version,
            card=LeadCard.model_validate(row.card),
            aliases=aliases.from_json(row.aliases),
            scores={_lead(key): Scored(*said) for key, said in row.scores.items()},
            judgements={_lead(key): Judged(*said) for key, said in row.judgements.items()},
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
            "aliases": aliases.to_json(each.aliases),
            "scores": {
                str(key): (said.lead_version, said.score, said.grade)
                for key, said in each.scores.items()
            },
            "judgements": {
                str(key): (said.lead_version, said.disqualified)
                for key, said in each.judgements.items()
            },
            "created_at": each.created_at,
            "updated_at": each.updated_at,
        }
        for each in known
    ]
    await _SAVE.run(connection, rows)


def _lead(key: str) -> LeadId:
    return LeadId(read_id(key))
