"""Completes the OpenAPI document: bodies that are read raw, keys and scopes, error answers.

FastAPI sees only what it parses itself; the rest is found here by the dependencies of a route.
"""

import json
from collections.abc import Iterator
from typing import Any, cast

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.encoders import jsonable_encoder
from fastapi.openapi.models import Schema
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts
from pydantic import TypeAdapter

from shared.web.body import JsonBody
from shared.web.keys import Require
from shared.web.problems import ProblemDocument, responses

_REFERENCE = "#/components/schemas/{model}"
_KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key, made by `handoff keys create`.",
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the whole document, made at the first call."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        components = document.setdefault("components", {})
        components["securitySchemes"] = {"key": _KEY}
        schemas = components.setdefault("schemas", {})
        _add_model(schemas, TypeAdapter(ProblemDocument))
        for operation, dependants in _operations(app, document):
            _complete(operation, dependants, schemas)
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        app.openapi_schema = document
    return app.openapi_schema


def _operations(
    app: FastAPI, document: dict[str, Any]
) -> Iterator[tuple[dict[str, Any], list[Dependant]]]:
    for context in iter_route_contexts(app.routes):
        operations = document["paths"].get(context.path_format, {})
        for method in context.methods or ():
            if method.lower() in operations:
                yield operations[method.lower()], _all(context.dependant)


def _all(dependant: Dependant) -> list[Dependant]:
    below = [found for child in dependant.dependencies for found in _all(child)]
    return [dependant, *below]


def _complete(
    operation: dict[str, Any], dependants: list[Dependant], schemas: dict[str, Any]
) -> None:
    statuses = [503]
    operation["responses"].pop("422", None)
    if operation.get("parameters"):
        statuses.append(422)
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", ())):
        statuses.append(404)
    for dependant in dependants:
        statuses += _from_dependency(operation, dependant.call, schemas)
    for status, answer in responses(*sorted(set(statuses))).items():
        operation["responses"].setdefault(str(status), answer)


def _from_dependency(
    operation: dict[str, Any], call: object, schemas: dict[str, Any]
) -> tuple[int, ...]:
    if isinstance(call, JsonBody):
        schema = _add_model(schemas, call.adapter)
        content = {"application/json": {"schema": schema}}
        operation["requestBody"] = {"required": call.required, "content": content}
        return (400, 413, 415, 422)
    if isinstance(call, Require):
        operation["security"] = [{"key": []}]
        operation["description"] = f"{operation.get('description', '')}\n\nNeeds {call}.".strip()
        return (401, 403)
    return ()


def _add_model(schemas: dict[str, Any], adapter: TypeAdapter[Any]) -> dict[str, Any]:
    """Add a model and its parts to the components; one that differs from its answer form apart."""
    schema = adapter.json_schema(ref_template=_REFERENCE)
    parts: dict[str, Any] = schema.pop("$defs", {})
    own = schema.get("title")
    if own and schema.get("type") == "object":
        parts[own] = schema
        schema = {"$ref": _REFERENCE.format(model=own)}
    parts = {part: _as_fastapi_has_it(found) for part, found in parts.items()}
    schema = _as_fastapi_has_it(schema)
    clashing = [part for part in parts if part in schemas and not _same(schemas[part], parts[part])]
    text = json.dumps([parts, schema])
    for part in clashing:
        text = text.replace(
            f'"{_REFERENCE.format(model=part)}"', f'"{_REFERENCE.format(model=part)}-Input"'
        )
    parts, schema = json.loads(text)
    for part, found in parts.items():
        schemas[f"{part}-Input" if part in clashing else part] = found
    return schema


def _as_fastapi_has_it(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the same schema in FastAPI's form, its whole numbers apart."""
    return _with_whole_numbers(_rounded(schema), schema)


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return _rounded(one) == _rounded(other)


def _rounded(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema in FastAPI's form, in which every number is a float."""
    form: dict[str, Any] = jsonable_encoder(Schema(**schema), by_alias=True, exclude_none=True)
    return form


def _with_whole_numbers(form: Any, schema: Any) -> Any:  # noqa: ANN401  any JSON
    """Return the form with numbers as they were: made a float, 2^63 - 1 is 2^63."""
    if isinstance(form, dict):
        fields = cast("dict[str, Any]", form).items()
        return {name: _with_whole_numbers(value, schema.get(name)) for name, value in fields}
    if isinstance(form, list):
        pairs = zip(cast("list[Any]", form), schema, strict=True)
        return [_with_whole_numbers(*pair) for pair in pairs]
    return schema if isinstance(form, float) and isinstance(schema, int) else form
