"""Releases of one cause: written here as an order for each lead, done by the worker."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.messaging import releases
from shared.messaging.releases import Cause
from shared.operations.parking_orders import finished


class ParkingRelease(BaseModel):
    """What somebody asked to be released of one cause, and how far that is."""

    id: UUID
    cause: str
    type: str | None
    reason: str | None
    actor: str = Field(description="the name of the key that was used")
    state: Literal["open", "done"]
    leads: int = Field(description="how many were parked for this cause when it was asked")
    released: int = Field(description="leads of which nothing is parked any more")
    failing: int = Field(description="leads that failed again, and stay parked")
    events: int = Field(description="events that had their effect")
    created_at: datetime
    updated_at: datetime


async def give(engine: AsyncEngine, cause: Cause, *, actor: str) -> ParkingRelease:
    """Write the orders and wait up to 5 s for the worker; some may still be open then.

    Raises:
        releases.NoSuchCause: nobody is parked for it.
        releases.UnderWay: all of them are being released already.
    """
    async with engine.begin() as connection:
        release_id = await releases.ask(connection, cause, actor=actor)
    return await finished(lambda: look(engine, release_id), is_open=lambda r: r.state == "open")


async def look(engine: AsyncEngine, release_id: UUID) -> ParkingRelease | None:
    """Return a release as it stands."""
    async with engine.connect() as connection:
        row = await releases.look(connection, release_id)
    if row is None:
        return None
    return ParkingRelease(
        id=row.id,
        cause=row.cause,
        type=row.type,
        reason=row.reason,
        actor=row.actor,
        state="done" if row.done == row.leads else "open",
        leads=row.leads,
        released=row.done - row.failing,
        failing=row.failing,
        events=row.events,
        created_at=row.asked_at,
        updated_at=row.done_at or row.asked_at,
    )
