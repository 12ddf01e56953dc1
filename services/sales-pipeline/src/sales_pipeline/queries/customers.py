"""Shows customers."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sales_pipeline.adapters.tables import customer
from shared.messaging import subjects


class CustomerRecord(BaseModel):
    """Who bought: how often, when last, for how much."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    lead_id: UUID
    name: str | None = Field(description="as at the first purchase; null once they are erased")
    order_count: int
    last_purchase_at: datetime
    lifetime_value: dict[str, int] = Field(
        description="minor units by currency", examples=[{"EUR": 120_000}]
    )
    created_at: datetime
    updated_at: datetime


async def one(connection: AsyncConnection, customer_id: UUID) -> CustomerRecord | None:
    """Return a customer, also by an id that they had before a merge."""
    statement = select(customer).where(_goes_by(customer_id))
    row = (await connection.execute(statement)).one_or_none()
    return CustomerRecord.model_validate(row) if row else None


async def page(
    connection: AsyncConnection, lead_id: UUID | None, *, after: UUID | None, limit: int
) -> Sequence[CustomerRecord]:
    """Return customers, the newest first; with `lead_id` the one that this lead became."""
    statement = select(customer).order_by(customer.c.id.desc()).limit(limit)
    if lead_id:
        called = await subjects.called(connection, lead_id)
        statement = statement.where(customer.c.lead_id == called)
    if after:
        statement = statement.where(customer.c.id < after)
    return [CustomerRecord.model_validate(row) for row in await connection.execute(statement)]


async def called(connection: AsyncConnection, customer_id: UUID) -> UUID:
    """Return the id that a customer has now; the one asked for where nobody goes by it."""
    statement = select(customer.c.id).where(_goes_by(customer_id))
    return await connection.scalar(statement) or customer_id


def _goes_by(customer_id: UUID) -> ColumnElement[bool]:
    return or_(customer.c.id == customer_id, customer.c.aliases.contains([str(customer_id)]))
