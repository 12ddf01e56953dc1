"""Free JSON objects within limits: what a caller adds of its own, stored as `jsonb`.

The limits are on depth, size and the number of names and values, so that none costs much to keep
or to look at. Fields that mean something to us are a model's, not this.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from shared.web.faults import unfit

_MAX_INTEGER = 2**63


@dataclass(frozen=True, slots=True)
class JsonLimits:
    """How much a free JSON object may hold."""

    max_bytes: int = 32_768
    max_depth: int = 8
    max_values: int = 1_000

    def check(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return the object, if Postgres stores it and it is within the limits."""
        for count, (depth, part) in enumerate(_walk(value), start=1):
            if depth > self.max_depth or count > self.max_values:
                raise unfit("json_shape", "must be flatter, or hold fewer values")
            self._check_part(part)
        if len(json.dumps(value, ensure_ascii=False).encode()) > self.max_bytes:
            raise unfit("json_size", "must be smaller")
        return value

    def _check_part(self, part: object) -> None:
        if isinstance(part, str) and not _is_storable(part):
            raise unfit("json_text", "must not hold the character NUL or half characters")
        if isinstance(part, float) and not math.isfinite(part):
            raise unfit("json_number", "must hold finite numbers only")
        if isinstance(part, int) and not -_MAX_INTEGER <= part < _MAX_INTEGER:
            raise unfit("json_number", "must hold whole numbers of at most 64 bits")


def _walk(value: object) -> Iterator[tuple[int, object]]:
    """Give each part with its depth, names of fields as parts of their own, without recursion."""
    waiting: list[tuple[int, object]] = [(1, value)]
    while waiting:
        depth, part = waiting.pop()
        yield depth, part
        waiting.extend((depth + 1, child) for child in _children(part))


def _children(part: object) -> list[object]:
    if isinstance(part, dict):
        fields = cast("dict[object, object]", part)
        return [*fields.keys(), *fields.values()]
    return cast("list[object]", part) if isinstance(part, list) else []


def _is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
