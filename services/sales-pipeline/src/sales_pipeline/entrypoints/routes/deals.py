"""Deals, to look at and to amend: `/v1/deals`."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import ConfigDict, Field

from sales_pipeline.entrypoints.context import Context, no_such
from sales_pipeline.entrypoints.deal_change import Request, change
from sales_pipeline.entrypoints.routes.deal_verbs import Amount
from sales_pipeline.queries import deals, timelines
from sales_pipeline.queries.deals import DealFilter, DealRecord, position_of
from sales_pipeline.queries.timelines import EntryRecord
from sales_pipeline.usecases.amend_deal import AmendDeal, Amendments, amend_deal
from sales_pipeline.usecases.desk import Desk
from shared.contracts.event import Event
from shared.ids import DealId
from shared.web import pages, preconditions
from shared.web.body import Body, json_body
from shared.web.keys import Caller, Require
from shared.web.pages import Cursor, Limit, Page
from shared.web.preconditions import IfMatch
from shared.web.problems import responses
from shared.web.values import CurrencyCode, Instant

Day = Annotated[date, Field(strict=True, examples=["2026-12-24"])]


class DealQuery(DealFilter):
    """The query of the list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(pages.DEFAULT_LIMIT, ge=1, le=pages.MAX_LIMIT)
    cursor: str | None = Field(None, max_length=1_000)


class Amend(Body):
    """What is to change; a field that is left out stays, null takes the value away."""

    amount_minor: Amount | None = None
    currency: CurrencyCode | None = None
    expected_close_on: Day | None = None

    def amendments(self) -> Amendments:
        """Return the fields that were sent."""
        sent = self.model_dump(exclude_unset=True)
        return Amendments(**sent)


def routes(context: Context) -> APIRouter:
    """Return the routes to look at deals, and the one to amend them."""
    router = APIRouter(tags=["deals"])
    allowed = context.keyring.require("deals:read")
    _add_reading(router, context, allowed)
    _add_timeline(router, context, allowed)
    _add_amending(router, context)
    return router


def _add_reading(router: APIRouter, context: Context, allowed: Require) -> None:
    @router.get("/v1/deals", dependencies=[Depends(allowed)])
    async def list_deals(query: Annotated[DealQuery, Query()]) -> Page[DealRecord]:
        """List deals, the newest first; with `updated_since` by their last change."""
        shape = tuple[Instant, UUID] if query.updated_since else tuple[UUID]
        after = pages.decode(query.cursor, shape)
        async with context.engine.connect() as connection:
            rows = await deals.page(connection, query, after=after, limit=query.limit + 1)
        items, following = pages.cut(rows, query.limit, lambda row: position_of(row, query))
        return Page(items=list(items), next=following)

    @router.get("/v1/deals/{deal_id}", dependencies=[Depends(allowed)])
    async def get_deal(deal_id: UUID, response: Response) -> DealRecord:
        """Show a deal; `ETag` is what `PATCH` wants as `If-Match`."""
        async with context.engine.connect() as connection:
            record = await deals.one(connection, deal_id)
        if record is None:
            raise no_such("deal", deal_id)
        response.headers["ETag"] = preconditions.etag(record.version)
        return record


def _add_timeline(router: APIRouter, context: Context, allowed: Require) -> None:
    @router.get("/v1/deals/{deal_id}/timeline", dependencies=[Depends(allowed)])
    async def get_timeline(
        deal_id: UUID, limit: Limit = pages.DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Page[EntryRecord]:
        """Show what happened on a deal, the earliest first."""
        after = pages.decode(cursor, tuple[Instant, UUID])
        async with context.engine.connect() as connection:
            if await deals.lead_of(connection, deal_id) is None:
                raise no_such("deal", deal_id)
            rows = await timelines.page(connection, deal_id, after=after, limit=limit + 1)
        items, following = pages.cut(rows, limit, lambda row: (row.occurred_at, row.id))
        return Page(items=list(items), next=following)


def _add_amending(router: APIRouter, context: Context) -> None:
    allowed = context.keyring.require("deals:write")
    body = json_body(Amend)

    @router.patch(
        "/v1/deals/{deal_id}", response_model=DealRecord, responses=responses(409, 412, 428)
    )
    async def patch_deal(
        caller: Annotated[Caller, Depends(allowed)],
        deal_id: UUID,
        content: Annotated[Amend, Depends(body)],
        if_match: IfMatch = None,
    ) -> Response:
        """Change what the sale may bring, and when."""
        command = AmendDeal(deal_id=DealId(deal_id), amendments=content.amendments())

        def act(desk: Desk, *, now: datetime) -> list[Event]:
            preconditions.check(if_match, desk.deals[command.deal_id].version)
            return amend_deal(command, desk, now=now)

        request = Request(caller=caller, deal_id=deal_id, verb="amend", content=content)
        return await change(context, request, act)
