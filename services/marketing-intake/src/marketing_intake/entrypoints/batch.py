"""Reads a batch of leads: only its shape, because one item's fault must not fail the others."""

from collections.abc import Sequence
from typing import Annotated, cast

from annotated_types import Len
from pydantic import BaseModel
from starlette.requests import Request
from typing_extensions import override

from marketing_intake.entrypoints.bodies import json_value
from marketing_intake.entrypoints.models import LeadIn
from shared.web import faults
from shared.web.body import JsonBody, require_media_type
from shared.web.problems import FieldError, Problem

MOST_ITEMS = 500


Items = Annotated[list[LeadIn], Len(1, MOST_ITEMS)]


class Leads(BaseModel):
    """Up to 500 leads."""

    items: Items


class LeadsBody(JsonBody[object]):
    """The dependency that gives the items as they came; OpenAPI finds their model here."""

    def __init__(self) -> None:
        """Read `{"items": [...]}`, or a bare list."""
        super().__init__(cast("type[object]", Leads | Items))

    @override
    async def __call__(self, request: Request) -> Sequence[object]:
        """Return the items.

        Raises:
            Problem: 415 (not JSON), 400 (not readable), 422 (no list of 1 to 500 items).
        """
        require_media_type(request, "application/json")
        value = json_value(await request.body())
        if isinstance(value, dict):
            value = cast("dict[str, object]", value).get("items")
        if not isinstance(value, list):
            raise _wrong("missing", 'items is missing: send {"items": [ ... ]}')
        items = cast("list[object]", value)
        if not 0 < len(items) <= MOST_ITEMS:
            raise _wrong("too_long", f"items must hold 1 to {MOST_ITEMS} leads")
        return items


def _wrong(code: str, detail: str) -> Problem:
    return faults.refused(FieldError("body", "#/items", code, detail))
