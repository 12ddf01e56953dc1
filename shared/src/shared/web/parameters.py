"""Refuses query parameters that a list does not know: a mistyped filter would list everything.

What a route knows is what its OpenAPI document says. Only of GET: senders put parameters of their
own behind the addresses that they post to.
"""

from typing import Any

from fastapi import Request

from shared.web import faults
from shared.web.problems import FieldError
from shared.web.route_templates import templates_of

_SHOWN = 50


async def refuse_unknown(request: Request) -> None:
    """Let a request through whose query parameters its route knows.

    Raises:
        Problem: 422, names the parameter and says which there are.
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


def _parameters_of(document: dict[str, Any], template: str) -> list[str]:
    operation = document["paths"].get(template, {}).get("get", {})
    parameters = operation.get("parameters", [])
    return sorted(each["name"] for each in parameters if each["in"] == "query")
