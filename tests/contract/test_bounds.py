"""Whatever a request may carry has a bound, and its document tells which."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.test_openapi import DOCUMENTS, SERVICES, operations

BOUNDED_BY_FORMAT = {"uuid", "date", "date-time", "duration"}
"""Formats that what reads them bounds: an id's length, the calendar's years, 366 days."""

ENDLESS = re.compile(r"[*+]|,\}")
Schema = dict[str, Any]


def requested(service: str) -> Iterator[tuple[str, Schema]]:
    for name, operation in operations(service):
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "query":  # the rest is of the head, which is bounded as a whole
                yield f"{name} {parameter['name']}", parameter["schema"]
        for content in operation.get("requestBody", {}).get("content", {}).values():
            yield f"{name} body", content.get("schema", {})


REQUESTED = [
    pytest.param(service, schema, id=f"{service} {name}")
    for service in SERVICES
    for name, schema in requested(service)
]


def endless(service: str, schema: Schema, place: str) -> Iterator[str]:
    """Yield the places below a schema that have no bound."""
    if name := schema.get("$ref", "").rpartition("/")[2]:
        yield from endless(service, DOCUMENTS[service]["components"]["schemas"][name], name)
    choices = [choice for kind in ("anyOf", "oneOf", "allOf") for choice in schema.get(kind, ())]
    texts = any(choice.get("type") == "string" and "format" not in choice for choice in choices)
    for choice in choices:  # what may be text as well is kept as it is written: the body bounds it
        if not (texts and choice.get("type") in {"integer", "number"}):
            yield from endless(service, choice, place)
    if not is_bounded(schema):
        yield f"{place}: {schema}"
    yield from (
        found
        for name, inner in parts(schema)
        for found in endless(service, inner, f"{place}{name}")
    )


def parts(schema: Schema) -> Iterator[tuple[str, Schema]]:
    yield from ((f".{name}", inner) for name, inner in schema.get("properties", {}).items())
    if isinstance(others := schema.get("additionalProperties"), dict):
        yield ".*", others
        yield " names", {"type": "string", **schema.get("propertyNames", {})}
    if "items" in schema:
        yield "[]", schema["items"]


def is_bounded(schema: Schema) -> bool:
    match schema.get("type"):
        case "string":
            return "maxLength" in schema or is_finite(schema)
        case "integer" | "number":
            return "minimum" in schema and bool({"maximum", "exclusiveMaximum"} & schema.keys())
        case "array":
            return "maxItems" in schema
        case "object":
            return "maxProperties" in schema or "properties" in schema
        case _:
            return True


def is_finite(schema: Schema) -> bool:
    if {"enum", "const"} & schema.keys() or schema.get("format") in BOUNDED_BY_FORMAT:
        return True
    pattern = str(schema.get("pattern", "*"))
    return pattern.startswith("^") and pattern.endswith("$") and not ENDLESS.search(pattern)


@pytest.mark.parametrize(("service", "schema"), REQUESTED)
def test_what_a_request_may_carry_has_a_bound(service: str, schema: Schema) -> None:
    assert list(endless(service, schema, "")) == []
