"""Shows touchpoints: what a person did, and by which source."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from marketing_intake.adapters.tables import touchpoint


class TouchpointRecord(BaseModel):
    """One recorded contact of a person with marketing."""

    id: UUID
    lead_id: UUID
    submission_id: UUID | None
    source_id: UUID
    source_name: str | None = None
    kind: str
    channel: str
    occurred_at: datetime
    received_at: datetime
    campaign_id: str | None = None
    form_id: str | None = None
    page_url: str | None = None
    referrer: str | None = None
    message: str | None = None
    utm: dict[str, str] = {}
    click_ids: dict[str, str] = {}
    answers: dict[str, str] = {}
    created_at: datetime
    updated_at: datetime


async def one(connection: AsyncConnection, touchpoint_id: UUID) -> TouchpointRecord:
    """Return a touchpoint; there is one."""
    statement = select(touchpoint).where(touchpoint.c.id == touchpoint_id)
    return _record((await connection.execute(statement)).mappings().one())


async def page(
    connection: AsyncConnection,
    lead_id: UUID,
    *,
    by: UUID | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[TouchpointRecord]:
    """Return a lead's touchpoints, all or one source's, in the order in which they occurred."""
    statement = select(touchpoint).where(touchpoint.c.lead_id == lead_id)
    if by:
        statement = statement.where(touchpoint.c.source_id == by)
    if after:
        beyond = tuple_(touchpoint.c.occurred_at, touchpoint.c.id) > tuple_(*after)
        statement = statement.where(beyond)
    ordered = statement.order_by(touchpoint.c.occurred_at, touchpoint.c.id).limit(limit)
    rows = (await connection.execute(ordered)).mappings()
    return [_record(row) for row in rows]


def _record(row: Mapping[Any, Any]) -> TouchpointRecord:
    columns = dict(row)
    return TouchpointRecord(**columns.pop("detail"), **columns)
