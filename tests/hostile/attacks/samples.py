"""Bodies as a route wants them, made from their schemas: what is hostile is put in their place.

A schema of which no sample can be made needs an example in the document, or a word here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.hostile.documents import Schema, kinds

from shared.ids import new_id

_BY_FORMAT = {
    "email": "anna@example.com",
    "date-time": "2026-01-02T03:04:05Z",
    "date": "2026-01-02",
    "duration": "PT1H",
    "password": "a-key-of-a-form",
}
_BY_TYPE: Mapping[str, Any] = {"integer": 1, "number": 1.5, "boolean": True}
_WORD = "sample"


class NoSample(Exception):
    """A schema of which no sample can be made."""


@dataclass(frozen=True, slots=True)
class Field:
    """A place in a body.

    Attributes:
        place: the names and numbers that lead there.
        certain: whether an error must name exactly this place; below one that may be of several
            kinds the place above is enough.
    """

    place: tuple[str | int, ...]
    schema: Schema
    required: bool
    certain: int

    @property
    def pointer(self) -> str:
        """The JSON pointer by which an error names it."""
        return "#" + "".join(f"/{part}" for part in self.place[: self.certain])


@dataclass(frozen=True, slots=True)
class Samples:
    """Makes samples for one service; `known` holds what must be real, by the field's name."""

    service: str
    known: Mapping[str, Any]

    def of(self, schema: Schema, *, whole: bool = False) -> Any:
        """Return a value; with all fields if `whole`, else as in the example or as is required."""
        for kind in kinds(self.service, schema):
            return self._of_kind({**kind, **_beside(schema)}, whole=whole)
        return None

    def _of_kind(self, schema: Schema, *, whole: bool) -> Any:
        properties = schema.get("properties")
        if properties is not None and (whole or "examples" not in schema):
            return self._object(schema, properties, whole=whole)
        if schema.get("examples"):
            return self._with_known(schema["examples"][0], properties or {})
        if "enum" in schema or "const" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        if schema["type"] == "array":
            return self._list(schema, whole=whole)
        if schema["type"] == "object":
            inner = schema.get("additionalProperties", True)
            return {_WORD: self.of(inner, whole=whole) if isinstance(inner, Mapping) else _WORD}
        return _text(schema) if schema["type"] == "string" else _BY_TYPE[schema["type"]]

    def _object(self, schema: Schema, properties: Mapping[str, Schema], *, whole: bool) -> Any:
        wanted = properties if whole else schema.get("required", [])
        made = {name: self.of(properties[name], whole=whole) for name in wanted}
        return self._with_known(made, properties)

    def _with_known(self, value: Any, properties: Mapping[str, Schema]) -> Any:
        known = {name: self.known[name] for name in properties if name in self.known}
        return value | known if known else value

    def _list(self, schema: Schema, *, whole: bool) -> list[Any]:
        fewest = max(1, schema.get("minItems", 1))
        return [self.of(schema["items"], whole=whole)] * fewest

    def fields(self, schema: Schema) -> Iterator[Field]:
        """Yield every place of a whole sample at which there is something."""
        yield from self._below(kinds(self.service, schema)[0], (), certain=True)

    def _below(
        self, schema: Schema, place: tuple[str | int, ...], *, certain: bool
    ) -> Iterator[Field]:
        found = kinds(self.service, schema)
        first = found[0] if found else {}
        certain = certain and len(found) == 1
        for part, inner, required in _parts(first):
            below = (*place, part)
            depth = len(below) if certain else 1
            yield Field(below, inner, required, depth)
            yield from self._below(inner, below, certain=certain)


def _parts(schema: Schema) -> Iterator[tuple[str | int, Schema, bool]]:
    """Yield what is directly inside a value of this kind."""
    required = schema.get("required", [])
    for name, inner in schema.get("properties", {}).items():
        yield name, inner, name in required
    if schema.get("type") == "array":
        yield 0, schema["items"], False
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield _WORD, schema["additionalProperties"], False


def _beside(schema: Schema) -> dict[str, Any]:
    """Return what stands beside a choice or a reference and holds for all that it leads to."""
    return {name: schema[name] for name in ("examples", "format") if name in schema}


def _text(schema: Schema) -> str:
    if schema.get("format") == "uuid":
        return str(new_id())
    text = _BY_FORMAT.get(schema.get("format", ""), _WORD)
    if not re.search(schema.get("pattern", ""), text):
        raise NoSample(f"{schema}: give an example in the document")
    return text
