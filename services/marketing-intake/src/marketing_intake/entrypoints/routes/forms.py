"""Web forms: any field names, three formats, and a visitor who is sent on to a page."""

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from marketing_intake.adapters.capture_statement import Receipt
from marketing_intake.domain.source import Source
from marketing_intake.domain.success_page import success_page
from marketing_intake.domain.values import clean
from marketing_intake.entrypoints.bodies import FORM_TYPES, MAX_FORM_FIELDS, form_fields
from marketing_intake.entrypoints.context import Context
from marketing_intake.entrypoints.door import Posted, json_of
from marketing_intake.entrypoints.whose import source_at
from shared.web import faults
from shared.web.problems import FieldError, responses

_PAGE = "_next"
_KEY = "_submission_id"
_MACHINERY = "_"
_MAX_KEY = 200
_THANKS = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Thank you</title></head>
<body><h1>Thank you</h1><p>We have received your message.</p></body></html>
"""
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            media_type: {"schema": {"type": "object", "maxProperties": MAX_FORM_FIELDS}}
            for media_type in FORM_TYPES
        },
    }
}
_STORED: dict[str, Any] = {
    "description": "Stored: a word of thanks; to a script the receipt",
    "content": {
        "text/html": {"schema": {"type": "string"}},
        "application/json": {"example": {"receipt_id": "0197c5e4-7d3a-7f00-8000-000000000000"}},
    },
}


def routes(context: Context) -> APIRouter:
    """Return the route that forms post to."""
    router = APIRouter(tags=["forms"])

    @router.post(
        "/v1/forms/{token}",
        response_class=Response,
        openapi_extra=_BODY,
        responses={
            200: _STORED,
            303: {"description": "On to the page"},
            **responses(400, 404, 413, 415, 422),
        },
    )
    async def take_form(token: str, request: Request) -> Response:
        """Take a form in; `_next` names the page to go on to, `_submission_id` makes it safe.

        To a script (`Accept: application/json`) the answer is JSON.
        """
        source = await source_at(context, token, "form")
        fields = await form_fields(request)
        _refuse_empty(fields)
        receipt = await context.door.take(_posted(source, fields), request)
        return _answer(request, source, fields, receipt)

    return router


def _posted(source: Source, fields: Mapping[str, Any]) -> Posted:
    spam = _text(fields, source.honeypot) != ""
    key = clean(_text(fields, _KEY), limit=_MAX_KEY)
    return Posted(
        source=source,
        fields={name: text for name, text in fields.items() if not name.startswith(_MACHINERY)},
        body=json_of(fields),
        key=f"form:{key}" if key else None,
        hashed=True,
        state="quarantined" if spam else "received",
        reason="honeypot" if spam else None,
    )


def _answer(
    request: Request, source: Source, fields: Mapping[str, Any], receipt: Receipt
) -> Response:
    """Answer a visitor or a script; a spammer is answered like everybody else."""
    if _wants_json(request):
        content = orjson.dumps({"receipt_id": str(receipt.receipt_id)})
        return Response(content, media_type="application/json")
    page = success_page(wanted=_text(fields, _PAGE) or None, allowed=source.success_urls)
    return RedirectResponse(page, 303) if page else HTMLResponse(_THANKS)


def _wants_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    posted = request.headers.get("content-type", "")
    html = "text/html" in accepted
    return not html and ("application/json" in accepted or posted.startswith("application/json"))


def _refuse_empty(fields: Mapping[str, Any]) -> None:
    if not any(_text(fields, name) for name in fields if not name.startswith(_MACHINERY)):
        detail = "the form is empty: fill in at least one field"
        raise faults.refused(FieldError("body", "#", "missing", detail))


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return str(value).strip() if value not in (None, [], {}) else ""
