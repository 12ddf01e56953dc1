"""Loads and saves what is known of reps."""

from collections.abc import Collection, Iterable
from dataclasses import asdict

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.adapters.tables import rep
from notifier.domain.rep import Rep
from shared.database.bulk import Upsert
from shared.ids import RepId

_LOAD = text("SELECT * FROM rep WHERE id = ANY(:ids)")
_SAVE = Upsert(rep)


async def load(connection: AsyncConnection, ids: Collection[RepId]) -> dict[RepId, Rep]:
    """Load those of the reps that are known."""
    rows = await connection.execute(_LOAD, {"ids": list(ids)})
    return {row.id: Rep(**row) for row in rows.mappings()}


async def save(connection: AsyncConnection, reps: Iterable[Rep]) -> None:
    """Save reps, new and changed ones alike."""
    await _SAVE.run(connection, [asdict(each) for each in reps])
