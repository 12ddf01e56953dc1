"""Which subjects are looked at together: all of them range by range, or those that moved lately.

A portion is small enough for every statement about it to be short, and for its answer to fit in
memory, however many leads there are.
"""

from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from handoff.views import Connection, Views, side_by_side
from shared.contracts.catalogue import INTAKE
from shared.ids import first_id_of

LARGE = 100_000
SMALL = 2_000
_MOST_NAMED = 200_000
_CLOCKS_DIFFER = timedelta(seconds=30)

_NEXT = "SELECT subject FROM audited WHERE subject > $1 ORDER BY subject OFFSET $2 LIMIT 1"
_MOVED = "SELECT DISTINCT subject FROM moved WHERE at >= $1 LIMIT $2"
_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Range:
    """The subjects above one id, up to and with another."""

    above: UUID
    up_to: UUID

    @property
    def values(self) -> tuple[object, ...]:
        """What the condition's parameters stand for."""
        return self.above, self.up_to

    def where(self, first: int) -> str:
        """Return the condition, with parameters numbered from `first` on."""
        return f"subject > ${first} AND subject <= ${first + 1}"


@dataclass(frozen=True, slots=True)
class Named:
    """The subjects with these ids."""

    subjects: tuple[UUID, ...]

    @property
    def values(self) -> tuple[object, ...]:
        """What the condition's parameters stand for."""
        return (self.subjects,)

    def where(self, first: int) -> str:
        """Return the condition, with parameters numbered from `first` on."""
        return f"subject = ANY(${first}::uuid[])"


Portion = Range | Named


async def everything(views: Views, *, above: UUID = _FIRST) -> AsyncIterator[Portion]:
    """Go through all ids that there can be, in ranges with so many leads and submissions each."""
    while (up_to := await views[INTAKE].fetchval(_NEXT, above, LARGE - 1)) is not None:
        yield Range(above, up_to)
        above = up_to
    yield Range(above, _LAST)


async def lately(
    views: Views, since: datetime, *, watched: Collection[UUID] = ()
) -> AsyncIterator[Portion]:
    """Go through what was made since then, what moved since then, and what is watched anyhow.

    Where so much moved that its names do not fit in memory, everything is gone through.
    """
    since -= _CLOCKS_DIFFER
    moved = await side_by_side(_moved(view, since) for view in views.values())
    subjects = set[UUID]().union(watched, *moved)
    above = _FIRST if len(subjects) >= _MOST_NAMED else first_id_of(since)
    async for portion in everything(views, above=above):
        yield portion
    for portion in named([subject for subject in subjects if subject <= above]):
        yield portion


def named(subjects: Collection[UUID]) -> Iterator[Named]:
    """Go through these subjects."""
    ordered = sorted(subjects)
    for start in range(0, len(ordered), SMALL):
        yield Named(tuple(ordered[start : start + SMALL]))


async def _moved(view: Connection, since: datetime) -> set[UUID]:
    return {row["subject"] for row in await view.fetch(_MOVED, since, _MOST_NAMED)}
