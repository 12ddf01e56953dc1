"""Counts the statements that an engine sends, and says of each which table it reads or writes.

A statement belongs to the first table that it writes, else to the first that it reads.
"""

import re
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

_WRITES = re.compile(
    r"(?:INSERT\s+INTO|DELETE\s+FROM|(?<!DO )(?<!FOR )\bUPDATE)\s+\"?(\w+)", re.IGNORECASE
)
_READS = re.compile(r"\b(?:FROM|JOIN)\s+(?!unnest\b|\()\"?(\w+)", re.IGNORECASE)


def place_of(statement: str) -> str:
    """Return `write task`, `read lead` or `read nothing`."""
    for verb, pattern in (("write", _WRITES), ("read", _READS)):
        if found := pattern.search(statement):
            return f"{verb} {found[1].lower()}"
    return "read nothing"


@contextmanager
def counted(engine: AsyncEngine, *, in_vain: bool = True) -> Generator[list[str]]:
    """Give the statements of the block as they are sent; those that met no row only if wanted."""
    sent: list[str] = []

    def note(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if in_vain or cursor.rowcount:
            sent.append(statement)

    event.listen(engine.sync_engine, "after_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine.sync_engine, "after_cursor_execute", note)


def repeated(statements: list[str]) -> dict[str, int]:
    """Return the places that were read, or written, more than once."""
    places = Counter(map(place_of, statements))
    return {place: times for place, times in places.items() if times > 1}
