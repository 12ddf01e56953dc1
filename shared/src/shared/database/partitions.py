"""Day partitions of tables that grow for ever: made ahead of time, dropped when they are old.

Each partitioned table has a DEFAULT partition, so that a row is never refused; days are made a
week ahead so that it stays empty. A day of which it holds rows already is left to it: they go by
their age, like the days. Making and dropping a day takes a lock that all traffic would queue
behind, so it is asked for briefly and otherwise tried again later (`DETACH … CONCURRENTLY` is not
to be had beside a DEFAULT partition).
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.database import errors
from shared.ids import first_id_of
from shared.loggers import get_logger

Kind = Literal["uuid7", "timestamptz"]
log = get_logger(__name__)

_DAY = timedelta(days=1)
_MOST_ROWS = 5000
_MOST_BITES = 20
_LOCK = 4_217_001
_BRIEFLY = text("SET LOCAL lock_timeout = '100ms'")
_TAKE_TURNS = text("SELECT pg_try_advisory_xact_lock(:lock)")
_IS_THERE = text("SELECT to_regclass(:name)")
_CHILDREN = text("""
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = to_regclass(:parent) ORDER BY c.relname
""")


@dataclass(frozen=True, slots=True)
class DayTable:
    """A table by day.

    Attributes:
        column: what it is partitioned by, of this `kind`.
        days: a day that ended longer ago than so many days may go.
        needed: a condition; while it is true of a row, that row's day stays, however old.
    """

    name: str
    column: str
    kind: Kind
    days: int
    needed: str = "false"

    @property
    def rest(self) -> str:
        """The DEFAULT partition."""
        return f"{self.name}_rest"

    def bound(self, day: datetime) -> UUID | datetime:
        """Return the lowest value that belongs to a day."""
        return first_id_of(day) if self.kind == "uuid7" else day


async def ensure_days(
    engine: AsyncEngine, table: DayTable, *, now: datetime, ahead: int = 7
) -> None:
    """Make the partitions of today and the days ahead that are missing.

    Safe to run by several processes at once; what could not be had now is made by a later call.
    """
    today = _midnight(now)
    known = set(await _children(engine, table))
    for day in (today + n * _DAY for n in range(ahead + 1)):
        if f"{table.name}_{day:%Y%m%d}" not in known:
            await _in_turn(engine, partial(_make, table, day))


async def drop_days(engine: AsyncEngine, table: DayTable, *, now: datetime) -> list[str]:
    """Drop what is old enough; return the old partitions that stay because of what they hold.

    Safe to run by several processes at once, and to be killed anywhere: a day goes in one commit.
    """
    cutoff = _midnight(now) - table.days * _DAY
    kept: list[str] = []
    for name in await _children(engine, table):
        if not _ends_by(name, cutoff):
            continue
        stays = await _in_turn(engine, partial(_drop, table, name))
        if stays is None:
            log.info("partition_in_use", partition=name)
        elif stays:
            kept.append(name)
    old = f"{table.column} < '{table.bound(cutoff)}'"
    await delete_some(engine, table.rest, f"{old} AND NOT ({table.needed})")
    async with engine.connect() as connection:
        if await _holds(connection, table.rest, f"{old} AND ({table.needed})"):
            kept.append(table.rest)
    return kept


async def delete_some(engine: AsyncEngine, table: str, condition: str) -> int:
    """Delete rows in bites that lock nobody out; return how many: a later call goes on."""
    done = 0
    bite = (
        f"DELETE FROM {table} WHERE ctid = ANY(ARRAY("  # noqa: S608  names and conditions are ours
        f"SELECT ctid FROM {table} WHERE {condition} LIMIT {_MOST_ROWS}))"
    )
    for _ in range(_MOST_BITES):
        async with engine.begin() as connection:
            if not await connection.scalar(_TAKE_TURNS, {"lock": _LOCK}):
                break
            gone = (await connection.execute(text(bite))).rowcount
        done += gone
        if gone < _MOST_ROWS:
            break
    return done


async def _make(table: DayTable, day: datetime, connection: AsyncConnection) -> bool:
    """Make a day, unless rows of it lie in the DEFAULT partition already."""
    low, high = table.bound(day), table.bound(day + _DAY)
    theirs = f"{table.column} >= '{low}' AND {table.column} < '{high}'"
    if await _holds(connection, table.rest, theirs):
        return False
    name = f"{table.name}_{day:%Y%m%d}"
    of = f"{table.name} FOR VALUES FROM ('{low}') TO ('{high}')"
    await connection.execute(text(f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {of}"))
    return True


async def _drop(table: DayTable, name: str, connection: AsyncConnection) -> bool:
    """Drop a day; tell whether it stays because of what it holds."""
    if await connection.scalar(_IS_THERE, {"name": name}) is None:
        return False
    if await _holds(connection, name, table.needed):
        return True
    await connection.execute(text(f"DROP TABLE {name}"))
    log.info("partition_dropped", partition=name)
    return False


async def _in_turn(
    engine: AsyncEngine, change: Callable[[AsyncConnection], Awaitable[bool]]
) -> bool | None:
    """Change what a table is made of; None: somebody else was at it, or in the way."""
    try:
        async with engine.begin() as connection:
            await connection.execute(_BRIEFLY)
            if not await connection.scalar(_TAKE_TURNS, {"lock": _LOCK}):
                return None
            return await change(connection)
    except DBAPIError as error:
        if errors.kind_of(error) is errors.Kind.CONTENTION:
            return None
        raise


async def _children(engine: AsyncEngine, table: DayTable) -> Sequence[str]:
    async with engine.connect() as connection:
        return (await connection.scalars(_CHILDREN, {"parent": table.name})).all()


async def _holds(connection: AsyncConnection, name: str, condition: str) -> bool:
    asked = f"SELECT EXISTS (SELECT FROM {name} WHERE {condition})"  # noqa: S608  as above
    return bool(await connection.scalar(text(asked)))


def _ends_by(name: str, cutoff: datetime) -> bool:
    """Tell whether a partition is a day that was over by then; the DEFAULT one is no day."""
    found = re.search(r"_(\d{8})$", name)
    return found is not None and _day(found[1]) + _DAY <= cutoff


def _day(digits: str) -> datetime:
    return datetime.strptime(digits, "%Y%m%d").replace(tzinfo=UTC)


def _midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
