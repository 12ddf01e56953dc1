"""Lays the desk and clears it: what the use cases need is loaded, what they changed is saved."""

from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from lead_scoring.adapters import leads, scorecards, touchpoints
from lead_scoring.domain.scorecard import Scorecard
from lead_scoring.usecases.desk import Desk

_MOVE = (
    text("UPDATE touchpoint SET lead_id = :into WHERE lead_id = :merged"),
    text("DELETE FROM lead_score WHERE lead_id = :merged"),
)
_FORGET = (
    text("DELETE FROM touchpoint WHERE lead_id = ANY(:ids)"),
    text("DELETE FROM lead_score WHERE lead_id = ANY(:ids)"),
)


@dataclass(slots=True)
class Desks:
    """Loads and saves desks; keeps published scorecards, which never change."""

    known: dict[UUID, Scorecard] = field(default_factory=dict[UUID, Scorecard])

    async def lay(
        self, connection: AsyncConnection, ids: Collection[UUID], *, merging: Collection[UUID] = ()
    ) -> Desk:
        """Load leads, each scored by what is active now. The caller holds their locks.

        Those in `merging` are to be scored anew: what they did is loaded too.
        """
        desk = Desk(scorecard=await self._active(connection))
        desk.leads = await leads.load(connection, ids)
        await _bring_up_to_date(connection, desk)
        if merging:
            desk.history = await touchpoints.load(connection, merging)
        return desk

    async def clear(self, connection: AsyncConnection, desk: Desk) -> None:
        """Write what the use cases changed."""
        await leads.save(connection, desk.to_save())
        await touchpoints.save(connection, desk.to_keep())

    async def move(self, connection: AsyncConnection, merged: UUID, *, into: UUID) -> None:
        """Let what a merged lead did be the survivor's, whose score counts it by now."""
        for statement in _MOVE:
            await connection.execute(statement, {"merged": merged, "into": into})

    async def forget(self, connection: AsyncConnection, ids: Collection[UUID]) -> None:
        """Delete all that is known of persons; leads that are not known are no matter."""
        for statement in _FORGET:
            await connection.execute(statement, {"ids": list(ids)})

    async def _active(self, connection: AsyncConnection) -> Scorecard:
        active = await scorecards.load_active_id(connection)
        if active not in self.known:
            found = await scorecards.load(connection, active)
            if found is None:
                raise scorecards.NoActiveScorecard
            self.known = {active: found}
        return self.known[active]


async def _bring_up_to_date(connection: AsyncConnection, desk: Desk) -> None:
    """Earn anew the points of leads that another scorecard scored; nothing is read if none."""
    stale = [lead for lead in desk.leads.values() if lead.scorecard_id != desk.scorecard.id]
    if stale:
        history = await touchpoints.load(connection, [lead.id for lead in stale])
        for lead in stale:
            lead.start_over(card=desk.scorecard, history=history.get(lead.id, []))
