"""A JSON value level by level: what is directly in it, what is in that, and so on.

For a first look at what may be deeper or wider than it is worth to read; never recursive.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import cast


def levels(value: object) -> Iterator[Sequence[object]]:
    """Yield the value alone, then all that is directly in it, and so on down."""
    level = [value]
    while level:
        yield level
        level = [inner for each in level for inner in _directly_in(each)]


def _directly_in(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).values()
    return cast("list[object]", value) if isinstance(value, list) else ()
