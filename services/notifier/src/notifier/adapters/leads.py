"""Loads and saves what is known of leads."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.adapters.tables import lead
from notifier.usecases.desk import Disqualification, KnownLead
from shared import aliases
from shared.contracts.lead import LeadCard
from shared.database.bulk import Upsert
from shared.database.direct import reading
from shared.ids import LeadId, read_id

_LOAD = reading(lead, "WHERE id = ANY(:ids)")
_SAVE = Upsert(lead)


async def load(connection: AsyncConnection, ids: Collection[LeadId]) -> dict[LeadId, KnownLead]:
    """Load leads."""
    rows = await _LOAD.rows(connection, ids=list(ids))
    return {
        row.id: KnownLead(
            id=row.id,
            version=row.version,
            card=LeadCard.model_validate(row.card),
            disqualified=_disqualified(row.disqualified),
            aliases=aliases.from_json(row.aliases),
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
            "disqualified": {
                str(name): [str(said.event_id), said.lead_version]
                for name, said in each.disqualified.items()
            },
            "aliases": aliases.to_json(each.aliases),
            "created_at": each.created_at,
            "updated_at": each.updated_at,
        }
        for each in leads
    ]
    await _SAVE.run(connection, rows)


def _disqualified(stored: Mapping[str, tuple[str, int]]) -> dict[LeadId, Disqualification]:
    return {
        _lead(name): Disqualification(read_id(event_id), version)
        for name, (event_id, version) in stored.items()
    }


def _lead(name: str) -> LeadId:
    return LeadId(read_id(name))
