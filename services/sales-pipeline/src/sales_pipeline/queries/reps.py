"""Shows reps."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sales_pipeline.adapters.tables import rep, team
from sales_pipeline.domain.rep import RepState


class RepRecord(BaseModel):
    """Who sells."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    email: str
    state: RepState = Field(description="away: gets no new deals, keeps those that are theirs")
    fallback: bool = Field(
        description="gets the deals that no active rep can take; exactly one rep is that"
    )
    version: int = Field(description="what ETag holds; `fallback` is the team's and not counted")
    created_at: datetime
    updated_at: datetime


_WHOLE = select(rep, exists().where(team.c.fallback_rep_id == rep.c.id).label("fallback"))


async def one(connection: AsyncConnection, rep_id: UUID) -> RepRecord | None:
    """Return a rep."""
    row = (await connection.execute(_WHOLE.where(rep.c.id == rep_id))).one_or_none()
    return RepRecord.model_validate(row) if row else None


async def page(
    connection: AsyncConnection, state: RepState | None, *, after: UUID | None, limit: int
) -> Sequence[RepRecord]:
    """Return reps in the order in which they were added, which is that of their turns."""
    statement = _WHOLE.order_by(rep.c.id).limit(limit)
    if state:
        statement = statement.where(rep.c.state == state)
    if after:
        statement = statement.where(rep.c.id > after)
    return [RepRecord.model_validate(row) for row in await connection.execute(statement)]
