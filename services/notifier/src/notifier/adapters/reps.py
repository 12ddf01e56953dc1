"""Loads and saves what is known of reps."""

from collections.abc import Collection, Iterable
from dataclasses import asdict

from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.adapters.tables import rep
from notifier.domain.rep import Rep
from shared.database.bulk import Upsert
from shared.database.direct import Row, reading
from shared.ids import RepId

_LOAD = reading(rep, "WHERE id = ANY(:ids)")
_SAVE = Upsert(rep)


async def load(connection: AsyncConnection, ids: Collection[RepId]) -> dict[RepId, Rep]:
    """Load those of the reps that are known."""
    return {row.id: _rep(row) for row in await _LOAD.rows(connection, ids=list(ids))}


async def save(connection: AsyncConnection, reps: Iterable[Rep]) -> None:
    """Save reps, new and changed ones alike."""
    await _SAVE.run(connection, [asdict(each) for each in reps])


def _rep(row: Row) -> Rep:
    return Rep(
        id=row.id,
        version=row.version,
        name=row.name,
        email=row.email,
        state=row.state,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
