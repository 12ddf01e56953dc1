"""Shows what happened on a deal, in the order of time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from sales_pipeline.adapters.tables import timeline_entry
from sales_pipeline.domain.timeline import ActivityKind, Happening

Position = tuple[datetime, UUID]


class EntryRecord(BaseModel):
    """One line of a timeline: what a rep did, or what the deal went through."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    deal_id: UUID
    kind: ActivityKind | Happening
    occurred_at: datetime
    text: str | None = Field(description="what a person wrote; blank once the person is erased")
    detail: dict[str, Any] = Field(examples=[{"from_stage": "new", "to_stage": "contacted"}])
    created_at: datetime
    updated_at: datetime


async def one(connection: AsyncConnection, entry_id: UUID) -> EntryRecord | None:
    """Return an entry."""
    statement = select(timeline_entry).where(timeline_entry.c.id == entry_id)
    row = (await connection.execute(statement)).one_or_none()
    return EntryRecord.model_validate(row) if row else None


async def page(
    connection: AsyncConnection, deal_id: UUID, *, after: Position | None, limit: int
) -> Sequence[EntryRecord]:
    """Return a deal's entries, the earliest first."""
    order = (timeline_entry.c.occurred_at, timeline_entry.c.id)
    statement = select(timeline_entry).where(timeline_entry.c.deal_id == deal_id).order_by(*order)
    if after:
        statement = statement.where(tuple_(*order) > tuple_(*after))
    rows = await connection.execute(statement.limit(limit))
    return [EntryRecord.model_validate(row) for row in rows]
