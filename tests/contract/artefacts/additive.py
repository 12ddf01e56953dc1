"""What may change in a released schema: a field may be added that may be absent. Nothing else.

Old events must be readable by new code and new events by old code, in every step since the first
release. Widening breaks the second as narrowing breaks the first, so both are refused; whoever
needs them makes a new version of the event, with its own schema.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

_WITHOUT_MEANING = {"$schema", "$id", "$defs", "title", "description", "examples"}
_COMPARED_IN_DEPTH = {"properties", "required", "items", "additionalProperties", "anyOf", "oneOf"}


def breaks(old: Schema, new: Schema) -> list[str]:
    """Return what in the new schema breaks a promise of the old one, each with its place."""
    return list(_Comparison(old, new).of(old, new, "#"))


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Two documents, each with the definitions that its own references mean."""

    old: Schema
    new: Schema

    def of(self, old: Any, new: Any, place: str) -> Iterator[str]:
        """Give the breaks between two parts."""
        if not (isinstance(old, dict) and isinstance(new, dict)):
            if old != new:
                yield f"{place}: was {old!r}, is {new!r}"
            return
        old, new = _resolved(old, self.old), _resolved(new, self.new)
        yield from _keywords(old, new, place)
        yield from self._properties(old, new, place)
        yield from self._alternatives(old, new, place)
        for keyword in ("items", "additionalProperties"):
            yield from self.of(old.get(keyword), new.get(keyword), f"{place}/{keyword}")

    def _properties(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        had_to, have_to = set(old.get("required", ())), set(new.get("required", ()))
        for name in before.keys() - after.keys():
            yield f"{place}/{name}: was removed"
        for name in have_to - had_to:
            yield f"{place}/{name}: is required, and was not before"
        for name in (had_to - have_to) & after.keys():
            yield f"{place}/{name}: was required, and may now be absent"
        for name in before.keys() & after.keys():
            yield from self.of(before[name], after[name], f"{place}/{name}")

    def _alternatives(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        for keyword in ("anyOf", "oneOf"):
            before, after = old.get(keyword, []), new.get(keyword, [])
            if len(before) != len(after):
                yield f"{place}: has {len(after)} alternatives, and had {len(before)}"
                continue
            for number, (one, other) in enumerate(zip(before, after, strict=True)):
                yield from self.of(one, other, f"{place}/{keyword}/{number}")


def _keywords(old: Schema, new: Schema, place: str) -> Iterator[str]:
    ignored = _WITHOUT_MEANING | _COMPARED_IN_DEPTH
    for keyword in sorted((old.keys() | new.keys()) - ignored):
        if old.get(keyword) != new.get(keyword):
            yield f"{place}: {keyword} was {old.get(keyword)!r}, is {new.get(keyword)!r}"


def _resolved(part: Schema, document: Schema) -> Schema:
    """Follow a reference to the document's definitions; what stands beside it stays."""
    reference = part.get("$ref")
    if reference is None:
        return part
    definition = document["$defs"][reference.removeprefix("#/$defs/")]
    beside = {key: value for key, value in part.items() if key != "$ref"}
    return _resolved(definition, document) | beside
