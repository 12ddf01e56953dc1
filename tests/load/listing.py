"""Every question that the lists of the APIs can be asked, as their OpenAPI documents offer it.

A list is a GET with a cursor. What its filters are asked for are the values that the document
names, and those of `known`; a filter that neither knows fails the tests.
"""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from shared.ids import first_id_of
from shared.web import pages

_DOCUMENTS = Path(__file__).resolve().parents[2] / "docs" / "openapi"
_PAGING = {"limit", "cursor"}

Values = Mapping[str, Sequence[str]]
"""What to ask for, by a parameter's name; by path and name where that means something else."""


@dataclass(frozen=True, slots=True)
class Question:
    """One page of one list."""

    package: str
    path: str
    filters: tuple[tuple[str, str], ...] = ()
    cursor: str | None = None

    @property
    def query(self) -> dict[str, str]:
        """What stands behind the question mark."""
        return dict(self.filters) | ({"cursor": self.cursor} if self.cursor else {})

    def __str__(self) -> str:
        """Return it as people write it, without the cursor."""
        asked = "&".join(f"{name}={value}" for name, value in self.filters)
        return f"{self.path}?{asked}" + ("&cursor" if self.cursor else "")

    def deep(self, following: str, moment: datetime) -> "Question":
        """Return the question for the page that begins at a moment, of a list with such cursors."""
        shape = pages.decode(following, list[Any]) or []
        return replace(self, cursor=pages.encode([_at(part, moment) for part in shape]))


def questions(package: str, known: Values, *, at_once: int) -> Iterator[Question]:
    """Give all questions with so many filters."""
    document = json.loads((_DOCUMENTS / f"{package.replace('_', '-')}.json").read_text())
    for path, methods in document["paths"].items():
        parameters = methods.get("get", {}).get("parameters", ())
        if not any(parameter["name"] == "cursor" for parameter in parameters):
            continue
        offered = {
            parameter["name"]: _values(path, parameter, document, known)
            for parameter in parameters
            if parameter["name"] not in _PAGING
        }
        within = {p["name"] for p in parameters if p["in"] == "path"}
        places = {name: offered.pop(name)[0] for name in within}
        for names in itertools.combinations(sorted(offered), at_once):
            for values in itertools.product(*(offered[name] for name in names)):
                asked = tuple(zip(names, values, strict=True))
                yield Question(package, path.format(**places), asked)


def _values(
    path: str, parameter: Mapping[str, Any], document: Mapping[str, Any], known: Values
) -> Sequence[str]:
    """Return what to ask for."""
    name = parameter["name"]
    found = known.get(f"{path} {name}") or known.get(name) or _named(parameter["schema"], document)
    if not found:
        raise LookupError(f"say what to ask {path} for as {name}")
    return found


def _named(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Sequence[str]:
    """Return the values that a document names for a parameter."""
    if "$ref" in schema:
        return _named(
            document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document
        )
    parts = [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())]
    return [*schema.get("enum", ()), *(v for part in parts for v in _named(part, document))]


def _at(part: Any, moment: datetime) -> Any:
    """Return the part of a sort position that belongs to a moment; other parts as they are."""
    try:
        UUID(part)
    except (TypeError, ValueError, AttributeError):
        pass
    else:
        return first_id_of(moment)
    try:
        datetime.fromisoformat(part)
    except (TypeError, ValueError):
        return part
    return moment
