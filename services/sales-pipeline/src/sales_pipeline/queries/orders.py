"""Shows orders."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from sales_pipeline.adapters.tables import sales_order
from sales_pipeline.queries import customers
from shared.messaging import subjects


class OrderRecord(BaseModel):
    """What a won deal became."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    deal_id: UUID
    lead_id: UUID
    customer_id: UUID
    owner_id: UUID = Field(description="the rep who won it")
    amount_minor: int = Field(description="in minor units of the currency")
    currency: str = Field(examples=["EUR"])
    placed_at: datetime
    created_at: datetime
    updated_at: datetime


class OrderFilter(BaseModel):
    """What somebody looks for; absent: whatever it is."""

    deal_id: UUID | None = None
    lead_id: UUID | None = None
    customer_id: UUID | None = None


async def one(connection: AsyncConnection, order_id: UUID) -> OrderRecord | None:
    """Return an order."""
    statement = select(sales_order).where(sales_order.c.id == order_id)
    row = (await connection.execute(statement)).one_or_none()
    return OrderRecord.model_validate(row) if row else None


async def page(
    connection: AsyncConnection, wanted: OrderFilter, *, after: UUID | None, limit: int
) -> Sequence[OrderRecord]:
    """Return orders, the newest first."""
    order = sales_order.c
    lead_id = await subjects.called(connection, wanted.lead_id) if wanted.lead_id else None
    buyer = wanted.customer_id and await customers.called(connection, wanted.customer_id)
    equal = (
        (order.deal_id, wanted.deal_id),
        (order.lead_id, lead_id),
        (order.customer_id, buyer),
    )
    conditions = [column == value for column, value in equal if value is not None]
    if after:
        conditions.append(order.id < after)
    statement = select(sales_order).where(*conditions).order_by(order.id.desc()).limit(limit)
    return [OrderRecord.model_validate(row) for row in await connection.execute(statement)]
