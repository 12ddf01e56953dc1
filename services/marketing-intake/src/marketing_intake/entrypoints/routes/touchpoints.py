"""Touchpoints: what a known lead did, recorded and shown."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from marketing_intake.domain.lead import LeadNotFound
from marketing_intake.domain.source import Source
from marketing_intake.entrypoints.context import Context
from marketing_intake.entrypoints.known import act_on
from marketing_intake.entrypoints.models import TouchpointIn
from marketing_intake.entrypoints.whose import source_for
from marketing_intake.queries import leads as shown_leads
from marketing_intake.queries import touchpoints as shown
from marketing_intake.queries.touchpoints import TouchpointRecord
from marketing_intake.usecases.record_touchpoint import RecordTouchpoint, record_touchpoint
from shared.clock import utc_now
from shared.contracts.lead import Touchpoint
from shared.ids import new_id
from shared.web.body import json_body
from shared.web.idempotency import IdempotencyKey, StoredAnswer, fingerprint, recall, remember
from shared.web.keys import Caller
from shared.web.pages import DEFAULT_LIMIT, Cursor, Limit, Page, cut, decode
from shared.web.problems import responses
from shared.web.values import Instant

_TOUCHPOINT = json_body(TouchpointIn)


def routes(context: Context) -> APIRouter:
    """Return the routes for touchpoints."""
    router = APIRouter(tags=["touchpoints"])
    _add_reading(router, context)
    _add_recording(router, context)
    return router


def _add_reading(router: APIRouter, context: Context) -> None:
    reader = context.keyring.require("leads:read", tied=True)

    @router.get("/v1/leads/{lead_id}/touchpoints")
    async def list_touchpoints(
        lead_id: UUID,
        caller: Annotated[Caller, Depends(reader)],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[TouchpointRecord]:
        """List what a lead did, in the order in which it occurred."""
        after = decode(cursor, tuple[Instant, UUID])
        async with context.engine.connect() as connection:
            lead = await shown_leads.one(connection, lead_id, brought_by=caller.source_id)
            if lead is None:
                raise LeadNotFound(f"no lead has the id {lead_id}")
            found = await shown.page(
                connection, lead.id, by=caller.source_id, after=after, limit=limit + 1
            )
        items, following = cut(found, limit, lambda record: (record.occurred_at, record.id))
        return Page(items=list(items), next=following)


def _add_recording(router: APIRouter, context: Context) -> None:
    writer = context.keyring.require("leads:write", tied=True)

    @router.post(
        "/v1/touchpoints",
        status_code=201,
        response_model=TouchpointRecord,
        responses=responses(404),
    )
    async def add_touchpoint(
        caller: Annotated[Caller, Depends(writer)],
        wanted: Annotated[TouchpointIn, Depends(_TOUCHPOINT)],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Record something that a known lead did: a page view, a click, an open."""
        source = await source_for(context, caller, wanted.source_id)
        touchpoint = _touchpoint(wanted, source)
        print_ = fingerprint("POST /v1/touchpoints", wanted)
        async with context.engine.begin() as connection:
            known = await recall(connection, caller, idempotency_key, print_)
            if known is None:
                await act_on(
                    connection,
                    wanted.lead_id,
                    lambda lead, desk, now: record_touchpoint(
                        RecordTouchpoint(lead, touchpoint), desk, now=now
                    ),
                )
                record = await shown.one(connection, touchpoint.touchpoint_id)
                known = StoredAnswer(201, record.model_dump_json())
                await remember(
                    connection,
                    caller,
                    idempotency_key,
                    print_,
                    answer=known,
                    subject=wanted.lead_id,
                )
        return known.response()


def _touchpoint(wanted: TouchpointIn, source: Source) -> Touchpoint:
    now = utc_now()
    return Touchpoint(
        touchpoint_id=new_id(),
        kind=wanted.kind,
        channel=source.channel,
        source_id=source.id,
        source_name=source.name,
        occurred_at=wanted.occurred_at or now,
        received_at=now,
        campaign_id=wanted.campaign_id,
        page_url=wanted.page_url,
        referrer=wanted.referrer,
        utm=wanted.utm,
        click_ids=wanted.click_ids,
    )
