"""A sender's fields laid flat: names with one text each, in the order in which they came.

Only the shapes are known here (nested objects, lists, Google's columns); what a field means is
`mapping`'s business.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import cast

from marketing_intake.domain.source import SourceKind
from marketing_intake.domain.values import clean

MAX_FIELDS = 300
MAX_DEPTH = 5
MAX_NAME = 200
MAX_TEXT = 10_000
_COLUMNS = "user_column_data"
_QUESTION_NAMES = ("question", "name", "label", "key")
_ANSWER_NAMES = ("answer", "value", "values")


def flat_fields(fields: Mapping[str, object], *, kind: SourceKind) -> dict[str, str]:
    """Return every field as one text; what repeats keeps its first value, empty ones are left out.

    Nested names are joined by dots (`utm.source`), lists by commas.
    """
    pairs = _google(fields) if kind == "google_ads" else _walk("", fields, depth=0)
    flat: dict[str, str] = {}
    for name, text in islice(pairs, MAX_FIELDS):
        if text:
            flat.setdefault(clean(name, limit=MAX_NAME), text)
    return flat


def _google(fields: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    columns = fields.get(_COLUMNS)
    for column in _items(columns):
        named = _members(column) or {}
        yield _text(named.get("column_id")), _text(named.get("string_value"))
    rest = {name: value for name, value in fields.items() if name != _COLUMNS}
    yield from _walk("", rest, depth=0)


def _walk(prefix: str, value: object, *, depth: int) -> Iterator[tuple[str, str]]:
    inside = _members(value) if depth < MAX_DEPTH else None
    if inside is not None:
        for name, inner in inside.items():
            yield from _walk(f"{prefix}.{name}" if prefix else name, inner, depth=depth + 1)
    else:
        yield prefix, _text(value)
        for question, answer in _answers(value):
            yield f"{prefix}.{question}", answer


def _answers(value: object) -> Iterator[tuple[str, str]]:
    """Yield the pairs of a list of questions and answers, by whatever names the two go."""
    for item in _items(value):
        pair = _members(item) or {}
        question = next((pair[name] for name in _QUESTION_NAMES if name in pair), "")
        answer = next((pair[name] for name in _ANSWER_NAMES if name in pair), "")
        yield _text(question), _text(answer)


def _members(value: object) -> Mapping[str, object] | None:
    """Return an object's members. JSON has one kind; asking for that is quicker than a protocol."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else None


def _items(value: object) -> Sequence[object]:
    return cast("list[object]", value) if isinstance(value, list) else ()


def _text(value: object) -> str:
    if isinstance(value, str):
        return clean(value, limit=MAX_TEXT)
    if isinstance(value, list):
        texts = (_text(item) for item in cast("list[object]", value))
        return clean(", ".join(text for text in texts if text), limit=MAX_TEXT)
    if value is None or isinstance(value, dict):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return clean(str(value), limit=MAX_TEXT)
