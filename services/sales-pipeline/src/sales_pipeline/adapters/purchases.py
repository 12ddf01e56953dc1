"""Loads and saves customers, and saves their orders."""

from collections.abc import Collection, Iterable
from dataclasses import asdict

from sqlalchemy.ext.asyncio import AsyncConnection

from sales_pipeline.adapters.tables import customer, sales_order
from sales_pipeline.domain.customer import Customer, Order
from shared.database.bulk import Insert, Upsert
from shared.database.direct import Row, reading
from shared.ids import LeadId, read_id

_LOAD = reading(customer, "WHERE lead_id = ANY(:lead_ids)")
_SAVE_CUSTOMERS = Upsert(customer)
_SAVE_ORDERS = Insert(sales_order)


async def load(connection: AsyncConnection, lead_ids: Collection[LeadId]) -> dict[LeadId, Customer]:
    """Load those of the leads who bought before."""
    rows = await _LOAD.rows(connection, lead_ids=list(lead_ids))
    return {row.lead_id: _customer(row) for row in rows}


async def save(
    connection: AsyncConnection, *, customers: Iterable[Customer], orders: Iterable[Order]
) -> None:
    """Save customers, then what they ordered."""
    await _SAVE_CUSTOMERS.run(connection, [asdict(each) for each in customers])
    await _SAVE_ORDERS.run(connection, [_row(each) for each in orders])


def _customer(row: Row) -> Customer:
    return Customer(
        id=row.id,
        lead_id=row.lead_id,
        name=row.name,
        created_at=row.created_at,
        updated_at=row.updated_at,
        order_count=row.order_count,
        last_purchase_at=row.last_purchase_at,
        lifetime_value=row.lifetime_value,
        aliases=[read_id(each) for each in row.aliases],
    )


def _row(order: Order) -> dict[str, object]:
    return {
        "id": order.id,
        "deal_id": order.deal_id,
        "lead_id": order.lead_id,
        "customer_id": order.customer_id,
        "owner_id": order.owner_id,
        "amount_minor": order.amount.amount_minor,
        "currency": order.amount.currency,
        "placed_at": order.placed_at,
        "created_at": order.placed_at,
        "updated_at": order.placed_at,
    }
