"""Puts what pydantic found wrong into words: which field, what is wrong, how to mend it.

Built from the place, the kind of mistake and the limits that stand in our own schema. Never from
the input: an answer that echoes what was sent grows without limit and leaks what it holds.
"""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

from pydantic_core import PydanticCustomError

from shared.web.problems import FieldError, Problem

MAX_ERRORS = 20
OWN = "handoff_"
"""Kinds of mistake that our own value types report begin so; their message is a constant."""

_TOO_MANY_TO_LIST = 500
_MAX_PART = 40
_MAX_NAME = 120
_PLACES = ("body", "query", "path", "header", "cookie")

_TIME = "must be a time with its zone, such as 2026-11-23T09:30:00Z"
_EXACT = {
    "missing": "is missing: add it",
    "extra_forbidden": "is not a field here: leave it out, or check its spelling",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "int_parsing_size": "is too large a number",
    "finite_number": "must be a finite number",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "union_tag_invalid": "must be of one of the kinds {expected_tags}",
    "union_tag_not_found": "must say of which kind it is",
    "none_required": "must be null or left out",
    "json_invalid": "is not valid JSON",
    "timezone_aware": _TIME,
}
_BY_FAMILY = {
    "string": "must be text",
    "int": "must be a whole number",
    "float": "must be a number",
    "decimal": "must be a decimal number",
    "bool": "must be true or false",
    "uuid": "must be a UUID",
    "datetime": _TIME,
    "date": "must be a date, such as 2026-11-23",
    "time": "must be a time of day, such as 09:30",
    "url": "must be a URL, such as https://shop.example.com/form",
    "list": "must be a list",
    "tuple": "must be a list",
    "set": "must be a list",
    "frozen": "must be a list",
    "dict": "must be an object",
    "model": "must be an object",
}
_OF_THE_SCHEMA = frozenset(
    {"min_length", "max_length", "pattern", "gt", "ge", "lt", "le", "expected", "expected_tags"}
)


def unfit(code: LiteralString, sentence: LiteralString) -> PydanticCustomError:
    """Return the error that a value type raises; the sentence is put behind the field's name."""
    return PydanticCustomError("handoff_" + code, sentence)


def invalid(faults: Sequence[Mapping[str, Any]]) -> Problem:
    """Return the problem (422) that names the fields; `faults` are pydantic's own."""
    if len(faults) > _TOO_MANY_TO_LIST:
        return too_many(len(faults))
    errors = [_error(fault) for fault in faults[:MAX_ERRORS]]
    return refused(*errors, count=len(faults))


def refused(*errors: FieldError, count: int | None = None) -> Problem:
    """Return the problem (422) for fields that the caller found wrong itself."""
    number = count or len(errors)
    detail = errors[0].detail if number == 1 else f"{number} fields are wrong"
    if number > len(errors):
        detail += f"; the first {len(errors)} are listed"
    return Problem(422, "invalid-input", "Invalid input", detail, errors)


def too_many(count: int) -> Problem:
    """Return the problem for a body in which so much is wrong that a list would not help."""
    words = f"the body has {count} mistakes: send less, or compare it with the schema under /docs"
    return refused(FieldError("body", "#", "too_many_mistakes", words))


def listable(count: int) -> bool:
    """Tell whether it is worth the time to look at each of `count` mistakes."""
    return count <= _TOO_MANY_TO_LIST


def _error(fault: Mapping[str, Any]) -> FieldError:
    place, *rest = fault["loc"] or ("body",)
    if place not in _PLACES:
        place, rest = "body", list(fault["loc"])
    parts = [_printable(part) for part in rest]
    if place != "body":
        parts = parts[:1]  # of a list of values it is the parameter that is to be mended
    label = ".".join(parts)[-_MAX_NAME:] or f"the {place}"
    name = _pointer(parts) if place == "body" else label
    return FieldError(place, name, fault["type"].removeprefix(OWN), f"{label} {hint(fault)}")


def _printable(part: object) -> str:
    text = "".join(letter if letter.isprintable() else "?" for letter in str(part)[:_MAX_PART])
    return text.encode("utf-8", "replace").decode()


def _pointer(parts: Sequence[str]) -> str:
    escaped = (part.replace("~", "~0").replace("/", "~1") for part in parts)
    return "".join(["#", *(f"/{part}" for part in escaped)])[:_MAX_NAME]


def hint(fault: Mapping[str, Any]) -> str:
    """Say what is wrong with a field and how to mend it, without its name."""
    kind = fault["type"]
    if kind.startswith(OWN):
        return fault["msg"]
    if kind in _EXACT:
        limits = {k: v for k, v in fault.get("ctx", {}).items() if k in _OF_THE_SCHEMA}
        return _EXACT[kind].format_map(limits)
    return _BY_FAMILY.get(kind.partition("_")[0], "is not valid: compare it with the schema")
