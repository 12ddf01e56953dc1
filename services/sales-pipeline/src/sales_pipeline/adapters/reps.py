"""Loads and saves reps and the team, whose row is the mutex of the round robin."""

from collections.abc import Iterable
from dataclasses import asdict
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from sales_pipeline.adapters.tables import rep, team
from sales_pipeline.domain.rep import Rep, RepState
from sales_pipeline.domain.routing import Team
from shared.database.bulk import Upsert
from shared.database.direct import Row, Statement, reading
from shared.ids import RepId

_LOAD = reading(rep)
_LOCK_TEAMS = Statement("SELECT id, fallback_rep_id, last_rep_id FROM team ORDER BY id FOR UPDATE")
_SAVE_REPS = Upsert(rep)
_SAVE_TEAMS = Upsert(team)


async def load(connection: AsyncConnection) -> dict[RepId, Rep]:
    """Load all reps: they are few."""
    return {row.id: _rep(row) for row in await _LOAD.rows(connection)}


async def lock_teams(connection: AsyncConnection) -> dict[UUID, Team]:
    """Lock and load the team, after the subjects and before the reps are loaded."""
    rows = await _LOCK_TEAMS.rows(connection)
    return {row.id: Team(row.id, row.fallback_rep_id, row.last_rep_id) for row in rows}


async def save(connection: AsyncConnection, *, reps: Iterable[Rep], teams: Iterable[Team]) -> None:
    """Save reps, then who of them comes next and who is the fallback."""
    await _SAVE_REPS.run(connection, [asdict(each) for each in reps])
    rows = [
        {"id": each.id, "fallback_rep_id": each.fallback_id, "last_rep_id": each.last_id}
        for each in teams
    ]
    await _SAVE_TEAMS.run(connection, rows)


def _rep(row: Row) -> Rep:
    return Rep(
        id=row.id,
        name=row.name,
        email=row.email,
        state=RepState(row.state),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
