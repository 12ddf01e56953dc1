"""Lists in pages: `{"items", "next"}`, walked by keyset cursors, so that no page skips or repeats.

A cursor is the sort position of the last item, opaque to callers. Which order a list has, and
who may see what of it, is the query's.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints, TypeAdapter, ValidationError

from shared.web import faults
from shared.web.problems import FieldError, Problem

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
_CHECKSUM_BYTES = 4

T = TypeVar("T")
Row = TypeVar("Row")

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="how many items at most")]
"""Write `limit: Limit = DEFAULT_LIMIT`."""

Cursor = Annotated[
    str | None, Query(max_length=1_000, description="`next` of the page before; leave it out first")
]
"""Write `cursor: Cursor = None`."""

Word = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
"""Text in a position. (Moments in one are `Instant`, numbers `Count` or `BigInt`.)"""


class Page(BaseModel, Generic[T]):
    """A part of a list."""

    items: list[T]
    next: str | None = Field(description="the `cursor` of the next page; null at the end")


def encode(values: Sequence[object]) -> str:
    """Return the cursor for a sort position: moments, ids, numbers and text."""
    raw = json.dumps(values, default=_as_text, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_checksum(raw) + raw).decode().rstrip("=")


def decode(cursor: str | None, shape: type[T]) -> T | None:
    """Return the sort position, read as `shape` (`tuple[Instant, UUID]`); None at the start.

    Somebody may have made it up: what `shape` lets through must be fit for the database.

    Raises:
        Problem: 422 that names `cursor`: it is not one that this list gave.
    """
    if cursor is None:
        return None
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        raw = packed[_CHECKSUM_BYTES:]
        if packed[:_CHECKSUM_BYTES] != _checksum(raw):
            raise _no_cursor()
        return TypeAdapter(shape).validate_json(raw)
    except (binascii.Error, ValueError, ValidationError):
        raise _no_cursor() from None


def cut(
    rows: Sequence[Row], limit: int, position: Callable[[Row], Sequence[object]]
) -> tuple[Sequence[Row], str | None]:
    """Return the page and its `next`, of rows that were read with `LIMIT limit + 1`."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], encode(position(rows[limit - 1]))


def _as_text(value: Any) -> str:  # noqa: ANN401  whatever json does not know
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"a cursor holds no {type(value).__name__}")


def _checksum(raw: bytes) -> bytes:
    """Guard against slips, not against malice: a position shows nothing that a query would not."""
    return zlib.crc32(raw).to_bytes(_CHECKSUM_BYTES, "big")


def _no_cursor() -> Problem:
    detail = "cursor must be the `next` of a page of this list, unchanged: leave it out to begin"
    return faults.refused(FieldError("query", "cursor", "cursor", detail))
