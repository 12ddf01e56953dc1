"""Our own API's way in: the canonical lead, one or up to 500."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, cast

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from marketing_intake.adapters.capture_statement import Receipt
from marketing_intake.domain.source import Source
from marketing_intake.entrypoints.answers import (
    content_of,
    receipt_answer,
    status_of,
    wait_seconds,
)
from marketing_intake.entrypoints.bodies import json_fields, json_value, refuse_nul
from marketing_intake.entrypoints.context import Context
from marketing_intake.entrypoints.door import Posted
from marketing_intake.entrypoints.models import LeadIn
from marketing_intake.entrypoints.whose import source_for
from shared.web import faults
from shared.web.body import json_body, require_media_type
from shared.web.idempotency import IdempotencyKey
from shared.web.keys import Caller
from shared.web.problems import FieldError, Problem, responses

MOST_ITEMS = 500
_LEAD = json_body(LeadIn)
_RECEIPT = {
    "description": "Stored; `Location` shows what becomes of it",
    "content": {
        "application/json": {"example": {"receipt_id": "0197c5e4-7d3a-7f00-8000-000000000000"}}
    },
}
_BATCH = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["items"],
                    "properties": {
                        "items": {
                            "type": "array",
                            "maxItems": MOST_ITEMS,
                            "items": {"$ref": "#/components/schemas/LeadIn"},
                        }
                    },
                }
            }
        },
    }
}


def routes(context: Context) -> APIRouter:
    """Return the routes by which leads come in through our own API."""
    router = APIRouter(tags=["leads"])
    writer = context.keyring.require("leads:write")

    @router.post(
        "/v1/leads",
        status_code=202,
        responses={202: _RECEIPT, 200: {"description": "With `Prefer: wait`: its outcome"}},
    )
    async def take_lead(
        request: Request,
        caller: Annotated[Caller, Depends(writer)],
        lead: Annotated[LeadIn, Depends(_LEAD)],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Take a lead in: 202 and a receipt; with `Prefer: wait=5`, the outcome."""
        raw = await request.body()
        fields = _checked(raw)
        source = await source_for(context, caller, lead.source_id)
        posted = _posted(lead, raw, fields, source, idempotency_key)
        receipt = await context.door.take(posted, request)
        waited = wait_seconds(request.headers.get("prefer"))
        if waited is not None:
            receipt = await context.waiting.outcome(receipt, seconds=waited)
        return receipt_answer(receipt, waited=waited)

    @router.post(
        "/v1/leads/batch",
        status_code=202,
        openapi_extra=_BATCH,
        responses=responses(400, 413, 415, 422),
    )
    async def take_leads(
        request: Request,
        caller: Annotated[Caller, Depends(writer)],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Take up to 500 leads in; each gets an answer of its own, in their order."""
        require_media_type(request, "application/json")
        items = _items(await request.body())
        waited = wait_seconds(request.headers.get("prefer"))

        async def take(place: int, item: object) -> dict[str, Any]:
            key = f"{idempotency_key}#{place}" if idempotency_key else None
            return await _take_item(context, request, caller, (item, key), waited)

        answers = await asyncio.gather(*(take(*each) for each in enumerate(items)))
        return _batch_answer(answers)

    return router


def _checked(raw: bytes) -> dict[str, Any]:
    """Return all fields, those too that nobody reads now."""
    fields = json_fields(raw)
    refuse_nul(raw, fields)
    return fields


def _posted(
    lead: LeadIn, raw: bytes, fields: dict[str, Any], source: Source, key: str | None
) -> Posted:
    """Return the submission; the body is kept as it came."""
    name = f"key:{key.strip(chr(34))}" if key else None
    if name is None and lead.source_event_id:
        name = f"event:{lead.source_event_id}"
    return Posted(
        source=source,
        fields=fields,
        body=raw,
        key=f"test:{name}" if name and lead.is_test else name,
        own_key=key is not None,
        state="quarantined" if lead.is_test else "received",
        reason="test" if lead.is_test else None,
    )


def _items(raw: bytes) -> Sequence[object]:
    """Return the items of a batch: of `{"items": [...]}`, or of a bare list."""
    value = json_value(raw)
    if isinstance(value, dict):
        value = cast("dict[str, object]", value).get("items")
    if not isinstance(value, list):
        raise _wrong("missing", 'items is missing: send {"items": [ ... ]}')
    items = cast("list[object]", value)
    if not 0 < len(items) <= MOST_ITEMS:
        raise _wrong("too_long", f"items must hold 1 to {MOST_ITEMS} leads")
    return items


async def _take_item(
    context: Context,
    request: Request,
    caller: Caller,
    item: tuple[object, str | None],
    waited: float | None,
) -> dict[str, Any]:
    """Return one item's answer: what `POST /v1/leads` would have answered to it alone."""
    fields, key = item
    try:
        raw = orjson.dumps(fields)
        lead = _LEAD.read(raw)
        checked = _checked(raw)
        source = await source_for(context, caller, lead.source_id)
        receipt: Receipt = await context.door.take(
            _posted(lead, raw, checked, source, key), request
        )
    except Problem as problem:
        return {"status": problem.status_code, "problem": problem.document()}
    if waited is not None:
        receipt = await context.waiting.outcome(receipt, seconds=waited)
    return {"status": status_of(receipt, waited=waited), **content_of(receipt, waited=waited)}


def _batch_answer(answers: Sequence[dict[str, Any]]) -> Response:
    """Return the answers; where nothing at all could be stored for now, 503."""
    unavailable = all(answer["status"] == 503 for answer in answers)  # noqa: PLR2004  HTTP's own
    headers = {"Retry-After": "2"} if unavailable else {}
    content = orjson.dumps({"items": answers})
    return Response(content, 503 if unavailable else 202, headers, "application/json")


def _wrong(code: str, detail: str) -> Problem:
    return faults.refused(FieldError("body", "#/items", code, detail))
