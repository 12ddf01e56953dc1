"""Ad platforms: machines that want exactly `200 {}`, and lose a lead on most other answers."""

import hmac
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from marketing_intake.adapters.sources import hash_of
from marketing_intake.domain.fields import MAX_FIELDS, MAX_TEXT
from marketing_intake.domain.source import Source
from marketing_intake.domain.values import clean
from marketing_intake.entrypoints.bodies import json_fields
from marketing_intake.entrypoints.context import Context
from marketing_intake.entrypoints.door import Posted, json_of
from marketing_intake.entrypoints.whose import source_at
from shared.web.problems import Problem, responses

_SECRET = "google_key"  # noqa: S105  the field's name
_COLUMNS = "user_column_data"
_NOTHING = frozenset({"", "0", "None"})
_MAX_KEY = 200
_COLUMN = {
    "type": "object",
    "properties": {
        "column_id": {"type": "string", "maxLength": _MAX_KEY},
        "string_value": {"type": "string", "maxLength": MAX_TEXT},
    },
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": [_SECRET],
                    "properties": {
                        "lead_id": {"type": "string", "maxLength": _MAX_KEY},
                        _SECRET: {"type": "string", "maxLength": _MAX_KEY},
                        "is_test": {"type": "boolean"},
                        _COLUMNS: {
                            "type": "array",
                            "items": _COLUMN,
                            "maxItems": MAX_FIELDS,
                        },
                    },
                }
            }
        },
    }
}


def routes(context: Context) -> APIRouter:
    """Return the route that Google Ads posts to."""
    router = APIRouter(tags=["ads"])

    @router.post("/v1/in/{token}", openapi_extra=_BODY, responses=responses(400, 401, 404, 413))
    async def take_ad_lead(token: str, request: Request) -> Response:
        """Take a Google Ads lead form in: `200 {}` once it is stored, test leads too."""
        source = await source_at(context, token, "google_ads")
        fields = json_fields(await request.body())
        _check_key(source, fields)
        _check_shape(fields)
        await context.door.take(_posted(source, _without_secret(fields)), request)
        return Response(b"{}", media_type="application/json")

    return router


def _check_key(source: Source, fields: Mapping[str, Any]) -> None:
    given = [value for name, value in fields.items() if name.lower() == _SECRET]
    key = given[0] if given and isinstance(given[0], str) else ""
    if not hmac.compare_digest(hash_of(key), source.google_key_hash or b""):
        detail = "google_key is not the one of this source: compare it with the lead form's."
        raise Problem(401, "wrong-key", "The key is wrong", detail)


def _check_shape(fields: Mapping[str, Any]) -> None:
    if not isinstance(fields.get(_COLUMNS, []), list):
        detail = f"{_COLUMNS} must be a list of columns, each with column_id and string_value."
        raise Problem(400, "malformed-lead", "The body is not a lead form's", detail)


def _without_secret(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name.lower() != _SECRET}


def _posted(source: Source, fields: Mapping[str, Any]) -> Posted:
    """Return the submission; a test lead is kept apart, under keys of its own."""
    test = fields.get("is_test") is True
    key = clean(str(fields.get("lead_id")), limit=_MAX_KEY)
    return Posted(
        source=source,
        fields=fields,
        body=json_of(fields),
        key=None if key in _NOTHING else f"{'test' if test else 'lead'}:{key}",
        state="quarantined" if test else "received",
        reason="test" if test else None,
    )
