"""Refuses query parameters that a list does not know: a mistyped filter would list everything.

One that stands there twice is refused too: the one or the other would be passed over in silence.

What a route knows is what its OpenAPI document says. Only of GET: senders put parameters of their
own behind the addresses that they post to.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import Request

from shared.web import faults
from shared.web.problems import FieldError
from shared.web.route_templates import templates_of

_SHOWN = 50


async def refuse_unknown(request: Request) -> None:
    """Let a request through whose query parameters its route knows, each given once.

    Raises:
        Problem: 422, names the parameter and says which there are, or that one is enough.
    """
    if request.method != "GET" or not request.scope["query_string"]:
        return
    template = templates_of(request.app).of(request.scope)
    known = _parameters_of(request.app.openapi(), template)
    unknown = next((name for name in request.query_params if name not in known), None)
    if unknown is not None:
        there_are = ", ".join(known) or "none"
        detail = f"There is no such parameter here: leave it out, or take one of: {there_are}"
        raise faults.refused(FieldError("query", unknown[:_SHOWN], "extra_forbidden", detail))
    twice = _given_twice(request, known)
    if twice is not None:
        detail = f"{twice} must be given once: leave the others out"
        raise faults.refused(FieldError("query", twice, "repeated", detail))


def _given_twice(request: Request, known: Mapping[str, Any]) -> str | None:
    names = [name for name, _ in request.query_params.multi_items()]
    return next(
        (name for name in names if names.count(name) > 1 and not _is_list(known[name])), None
    )


def _is_list(schema: Mapping[str, Any]) -> bool:
    return "array" in {kind.get("type") for kind in (schema, *schema.get("anyOf", ()))}


def _parameters_of(document: dict[str, Any], template: str) -> dict[str, Any]:
    """Return the schemas of a route's query parameters, by their names."""
    operation = document["paths"].get(template, {}).get("get", {})
    found = [each for each in operation.get("parameters", []) if each["in"] == "query"]
    return {each["name"]: each["schema"] for each in sorted(found, key=lambda each: each["name"])}
