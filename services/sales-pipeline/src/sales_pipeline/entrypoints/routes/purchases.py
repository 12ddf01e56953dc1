"""Orders and customers, to look at: `/v1/orders`, `/v1/customers`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from sales_pipeline.entrypoints.context import Context, no_such
from sales_pipeline.queries import customers, orders
from sales_pipeline.queries.customers import CustomerRecord
from sales_pipeline.queries.orders import OrderFilter, OrderRecord
from shared.web import pages
from shared.web.keys import Require
from shared.web.pages import Page


class OrderQuery(OrderFilter):
    """The query of the list of orders."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(pages.DEFAULT_LIMIT, ge=1, le=pages.MAX_LIMIT)
    cursor: str | None = Field(None, max_length=1_000)


class CustomerQuery(BaseModel):
    """The query of the list of customers."""

    model_config = ConfigDict(extra="forbid")

    lead_id: UUID | None = None
    limit: int = Field(pages.DEFAULT_LIMIT, ge=1, le=pages.MAX_LIMIT)
    cursor: str | None = Field(None, max_length=1_000)


def routes(context: Context) -> APIRouter:
    """Return the routes to look at what was sold, and to whom."""
    router = APIRouter()
    allowed = context.keyring.require("deals:read")
    _add_orders(router, context, allowed)
    _add_customers(router, context, allowed)
    return router


def _add_orders(router: APIRouter, context: Context, allowed: Require) -> None:
    @router.get("/v1/orders", tags=["orders"], dependencies=[Depends(allowed)])
    async def list_orders(query: Annotated[OrderQuery, Query()]) -> Page[OrderRecord]:
        """List orders, the newest first."""
        after = pages.decode(query.cursor, tuple[UUID])
        async with context.engine.connect() as connection:
            rows = await orders.page(
                connection, query, after=after and after[0], limit=query.limit + 1
            )
        items, following = pages.cut(rows, query.limit, lambda row: (row.id,))
        return Page(items=list(items), next=following)

    @router.get("/v1/orders/{order_id}", tags=["orders"], dependencies=[Depends(allowed)])
    async def get_order(order_id: UUID) -> OrderRecord:
        """Show an order."""
        async with context.engine.connect() as connection:
            record = await orders.one(connection, order_id)
        if record is None:
            raise no_such("order", order_id)
        return record


def _add_customers(router: APIRouter, context: Context, allowed: Require) -> None:
    @router.get("/v1/customers", tags=["customers"], dependencies=[Depends(allowed)])
    async def list_customers(query: Annotated[CustomerQuery, Query()]) -> Page[CustomerRecord]:
        """List customers, the newest first."""
        after = pages.decode(query.cursor, tuple[UUID])
        async with context.engine.connect() as connection:
            rows = await customers.page(
                connection, query.lead_id, after=after and after[0], limit=query.limit + 1
            )
        items, following = pages.cut(rows, query.limit, lambda row: (row.id,))
        return Page(items=list(items), next=following)

    @router.get("/v1/customers/{customer_id}", tags=["customers"], dependencies=[Depends(allowed)])
    async def get_customer(customer_id: UUID) -> CustomerRecord:
        """Show a customer, also by an id that they had before two leads merged."""
        async with context.engine.connect() as connection:
            record = await customers.one(connection, customer_id)
        if record is None:
            raise no_such("customer", customer_id)
        return record
