"""Shows deals: one, or a page of those that sales looks for."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from sales_pipeline.adapters.tables import deal, lead, sales_order
from sales_pipeline.domain.deal import Outcome
from sales_pipeline.domain.stage import Stage
from shared.contracts.lead import LeadCard
from shared.messaging import subjects
from shared.web.values import Instant

OutcomeFilter = Literal["open", "won", "lost", "recycled", "merged", "erased"]
Position = tuple[datetime, UUID] | tuple[UUID]


class DealRecord(BaseModel):
    """A deal, with what is known of its lead. `outcome` is null while the deal is open."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    lead_id: UUID
    lead: LeadCard = Field(description="who it is, as far as the pipeline knows")
    owner_id: UUID = Field(description="the rep who has the deal now; never none")
    stage: Stage
    outcome: Outcome | None = Field(description="how it ended; null: it is open")
    score: int
    grade: str = Field(examples=["B2"])
    asked_at: datetime = Field(description="when what led to the deal was received")
    amount_minor: int | None = Field(description="in minor units of the currency")
    currency: str | None = Field(examples=["EUR"])
    expected_close_on: date | None
    accepted_by: UUID | None = Field(description="the rep who took it on (SAL)")
    accepted_at: datetime | None
    flag_reason: str | None = Field(description="set: its lead is disqualified, and by what")
    flagged_at: datetime | None
    closed_at: datetime | None
    close_reason: str | None = Field(
        description="what sales wrote when it was lost or recycled; merged: the deal that stays"
    )
    order_id: UUID | None = Field(description="the order that a won deal became")
    version: int = Field(description="what ETag holds")
    created_at: datetime
    updated_at: datetime


class DealFilter(BaseModel):
    """What somebody looks for; absent: whatever it is."""

    lead_id: UUID | None = None
    owner_id: UUID | None = None
    stage: Stage | None = None
    outcome: OutcomeFilter | None = Field(None, description="`open`, or how the deal ended")
    updated_since: Instant | None = Field(
        None, description="lists in the order of the last change, the earliest first"
    )


_WHOLE = (
    select(deal, lead.c.card.label("lead"), sales_order.c.id.label("order_id"))
    .join(lead, lead.c.id == deal.c.lead_id)
    .outerjoin(sales_order, sales_order.c.deal_id == deal.c.id)
)


async def lead_of(connection: AsyncConnection, deal_id: UUID) -> UUID | None:
    """Return whose deal it is, which a merge alone changes; None: there is no such deal."""
    return await connection.scalar(select(deal.c.lead_id).where(deal.c.id == deal_id))


async def one(connection: AsyncConnection, deal_id: UUID) -> DealRecord | None:
    """Return a deal."""
    row = (await connection.execute(_WHOLE.where(deal.c.id == deal_id))).one_or_none()
    return DealRecord.model_validate(row) if row else None


async def page(
    connection: AsyncConnection, wanted: DealFilter, *, after: Position | None, limit: int
) -> Sequence[DealRecord]:
    """Return deals, newest first; with `updated_since` in the order of their last change."""
    if wanted.lead_id:
        called = await subjects.called(connection, wanted.lead_id)
        wanted = wanted.model_copy(update={"lead_id": called})
    statement = _ordered(_WHOLE.where(*_conditions(wanted)), wanted, after).limit(limit)
    return [DealRecord.model_validate(row) for row in await connection.execute(statement)]


def position_of(record: DealRecord, wanted: DealFilter) -> Position:
    """Return where a deal stands in the order of such a list."""
    return (record.updated_at, record.id) if wanted.updated_since else (record.id,)


def _conditions(wanted: DealFilter) -> list[ColumnElement[bool]]:
    """Return what the filter asks for, each part served by an index."""
    equal = (
        (deal.c.lead_id, wanted.lead_id),
        (deal.c.owner_id, wanted.owner_id),
        (deal.c.stage, wanted.stage),
        (deal.c.outcome, wanted.outcome if wanted.outcome != "open" else None),
    )
    conditions = [column == value for column, value in equal if value is not None]
    if wanted.outcome == "open":
        conditions.append(deal.c.outcome.is_(None))
    if wanted.updated_since:
        conditions.append(deal.c.updated_at >= wanted.updated_since)
    return conditions


def _ordered(statement: Select[Any], wanted: DealFilter, after: Position | None) -> Select[Any]:
    if wanted.updated_since:
        order = tuple_(deal.c.updated_at, deal.c.id)
        beyond = order > tuple_(*after) if after else None
        statement = statement.order_by(deal.c.updated_at, deal.c.id)
    else:
        beyond = deal.c.id < after[0] if after else None
        statement = statement.order_by(deal.c.id.desc())
    return statement if beyond is None else statement.where(beyond)
