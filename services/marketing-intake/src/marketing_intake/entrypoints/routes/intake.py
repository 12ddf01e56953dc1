"""Our own API's way in: the canonical lead, one or up to 500.

`POST /v1/leads` is the hot path: it reads key and body by hand, because FastAPI's way of giving
them to a function costs a third of the request; its OpenAPI is written out for the same reason.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

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
from marketing_intake.entrypoints.batch import LeadsBody
from marketing_intake.entrypoints.bodies import json_fields, refuse_nul
from marketing_intake.entrypoints.context import Context
from marketing_intake.entrypoints.door import Posted
from marketing_intake.entrypoints.keys import KEY_PATTERN, key_of
from marketing_intake.entrypoints.models import LeadIn
from marketing_intake.entrypoints.whose import source_for
from shared.web.body import json_body, require_media_type
from shared.web.by_hand import ByHand
from shared.web.keys import Caller
from shared.web.problems import Problem, responses

_SCOPE = "leads:write"
_JSON = "application/json"
_LEAD = json_body(LeadIn)
_MANY = LeadsBody()
_RECEIPT = {
    "description": "Stored; `Location` shows what becomes of it",
    "content": {_JSON: {"example": {"receipt_id": "0197c5e4-7d3a-7f00-8000-000000000000"}}},
}
_OUTCOME = {
    "description": "With `Prefer: wait`: its outcome",
    "content": {
        _JSON: {
            "example": {
                "receipt_id": "0197c5e4-7d3a-7f00-8000-000000000000",
                "state": "updated",
                "outcome": "updated",
                "lead_id": "0197c5e4-7d3a-7f00-8000-000000000001",
            }
        }
    },
}
_HEADERS = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "your own name for this request: repeat it, and nothing happens twice",
        "schema": {"type": "string", "maxLength": 200, "pattern": KEY_PATTERN},
    },
    {
        "name": "Prefer",
        "in": "header",
        "required": False,
        "description": "`wait=5`: answer with the outcome, if there is one within 5 seconds",
        "schema": {"type": "string"},
    },
]
_BY_HAND: dict[str, Any] = {
    "security": [{"key": []}],
    "parameters": _HEADERS,
    "requestBody": {
        "required": True,
        "content": {_JSON: {"schema": {"$ref": "#/components/schemas/LeadIn"}}},
    },
}


def routes(context: Context) -> APIRouter:
    """Return the routes by which leads come in through our own API."""
    router = APIRouter(tags=["leads"])
    _add_one(router, context)
    _add_many(router, context)
    return router


def _add_one(router: APIRouter, context: Context) -> None:
    writer = context.keyring.require(_SCOPE, tied=True)

    async def take_lead(request: Request) -> Response:
        """Take a lead in: 202 and a receipt; with `Prefer: wait=5`, the outcome.

        Needs the scope leads:write.
        """
        caller = await writer(request)
        raw = await _json_bytes(request)
        lead, fields = _LEAD.read(raw), _checked(raw)
        source = await source_for(context, caller, lead.source_id)
        key = key_of(request)
        receipt = await context.door.take(_posted(lead, raw, fields, source, key), request)
        waited = wait_seconds(request.headers.get("prefer"))
        if waited is not None:
            receipt = await context.waiting.outcome(receipt, seconds=waited)
        return receipt_answer(receipt, waited=waited)

    router.add_api_route(
        "/v1/leads",
        take_lead,
        methods=["POST"],
        status_code=202,
        openapi_extra=_BY_HAND,
        responses={
            202: _RECEIPT,
            201: _OUTCOME,
            200: _OUTCOME,
            **responses(400, 401, 403, 413, 415, 422),
        },
        route_class_override=ByHand,
    )


def _add_many(router: APIRouter, context: Context) -> None:
    writer = context.keyring.require(_SCOPE, tied=True)

    @router.post("/v1/leads/batch", status_code=202, openapi_extra={"parameters": _HEADERS})
    async def take_leads(
        request: Request,
        caller: Annotated[Caller, Depends(writer)],
        items: Annotated[Sequence[object], Depends(_MANY)],
    ) -> Response:
        """Take up to 500 leads in; each gets an answer of its own, in their order."""
        key = key_of(request)
        waited = wait_seconds(request.headers.get("prefer"))

        async def take(place: int, item: object) -> dict[str, Any]:
            own = f"{key}#{place}" if key else None
            return await _take_item(context, request, caller, (item, own), waited)

        answers = await asyncio.gather(*(take(*each) for each in enumerate(items)))
        return _batch_answer(answers)


async def _json_bytes(request: Request) -> bytes:
    """Return the body; what is written as usual needs no closer look."""
    if request.headers.get("content-type") != _JSON or "content-encoding" in request.headers:
        require_media_type(request, _JSON)
    return await request.body()


def _checked(raw: bytes) -> dict[str, Any]:
    """Return all fields, those too that nobody reads now."""
    fields = json_fields(raw)
    refuse_nul(raw, fields)
    return fields


def _posted(
    lead: LeadIn, raw: bytes, fields: dict[str, Any], source: Source, key: str | None
) -> Posted:
    """Return the submission; the body is kept as it came."""
    name = f"key:{key}" if key else None
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
