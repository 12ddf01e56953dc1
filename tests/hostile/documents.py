"""The routes of the four services, as their own OpenAPI documents have them.

The documents are made from the code, so a route that is new there is one that is attacked here.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from tests.contract.artefacts import openapi

from shared.ids import new_id

SERVICES = openapi.SERVICES
METHODS = ("get", "post", "put", "patch", "delete")

PART = re.compile(r"\{(\w+)\}")
_NEEDS = re.compile(r"Needs (?:a key|the scope ([a-z: ]+?))\.(?:\n|$)")

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of a request beside its body: `place` is path, query or header."""

    place: str
    name: str
    schema: Schema


@dataclass(frozen=True, slots=True)
class Operation:
    """One address with one method, and what the document says of it; empty where it is silent."""

    service: str
    method: str
    path: str
    content: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The operation's own name in its document."""
        return self.content["operationId"]

    @property
    def line(self) -> str:
        """Its method and path; some are the same in every service."""
        return f"{self.method} {self.path}"

    @property
    def has_key(self) -> bool:
        """Whether it asks for a key."""
        return bool(self.content.get("security"))

    @property
    def needs(self) -> frozenset[str] | None:
        """The scopes of which one opens it; none at all: any key does; None: it needs no key."""
        said = _NEEDS.search(self.content.get("description", ""))
        if said is None or not self.has_key:
            return None
        return frozenset(said[1].split(" or ")) if said[1] else frozenset()

    def opens_with(self, scope: str) -> bool:
        """Tell whether the document lets a key with this scope alone in."""
        return self.needs is not None and (not self.needs or scope in self.needs)

    @property
    def bodies(self) -> Mapping[str, Schema]:
        """The schema of its body, by media type."""
        content = self.content.get("requestBody", {}).get("content", {})
        return {media_type: body["schema"] for media_type, body in content.items()}

    @property
    def needs_body(self) -> bool:
        """Whether it cannot do without a body."""
        return bool(self.content.get("requestBody", {}).get("required"))

    def parameters(self, place: str) -> Sequence[Parameter]:
        """Return its parameters in the path, the query or the head."""
        found = self.content.get("parameters", [])
        return [Parameter(place, each["name"], each["schema"]) for each in found
                if each["in"] == place]  # fmt: skip

    def address(self, **parts: object) -> str:
        """Return where it is: with these parts as they stand here, else with ids of nobody."""
        return PART.sub(lambda part: str(parts.get(part[1], new_id())), self.path)

    def __str__(self) -> str:
        """Name it as people do, for the tests' ids."""
        return f"{self.service} {self.line}"


@cache
def document(service: str) -> Mapping[str, Any]:
    """Return the document of a service."""
    return openapi.document(service)


@cache
def operations() -> Sequence[Operation]:
    """Return every route of the four services."""
    return list(_operations())


def _operations() -> Iterator[Operation]:
    for service in SERVICES:
        for path, methods in document(service)["paths"].items():
            for method in METHODS:
                if method in methods:
                    yield Operation(service, method.upper(), path, methods[method])


def resolve(service: str, schema: Schema) -> Schema:
    """Return what a schema says, where it only points to another."""
    while "$ref" in schema:
        place: Any = document(service)
        for part in schema["$ref"].removeprefix("#/").split("/"):
            place = place[part]
        schema = place
    return schema


def kinds(service: str, schema: Schema) -> Sequence[Schema]:
    """Return the schemas of which a value may be, null apart."""
    resolved = resolve(service, schema)
    inner = resolved.get("anyOf") or resolved.get("oneOf")
    if inner is None:
        return [] if resolved.get("type") == "null" else [resolved]
    return [kind for each in inner for kind in kinds(service, each)]


def allows(service: str, schema: Schema, value: object) -> bool:
    """Tell whether a value is what the document says that it may be."""
    return _validator(service, json.dumps(schema)).is_valid(value)


@cache
def _validator(service: str, schema: str) -> Draft202012Validator:
    components = document(service).get("components", {})
    return Draft202012Validator({**json.loads(schema), "components": components})
