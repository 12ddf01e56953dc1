"""The subject's lock: one row per lead or rep, the mutex of all that this database knows of it.

Route, consumer, resolver, timer and release all name their subjects here first, and only then
load. Order everywhere: subjects in id order, then team cursors in id order, then nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database.direct import Row, Statement


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject that this transaction holds. `locked_at` is the database's clock."""

    id: UUID
    alias_of: UUID | None
    erased_at: datetime | None
    parked_as: str | None
    locked_at: datetime


_INSERT = Statement("""
    WITH made AS (
        INSERT INTO subject (id) SELECT id FROM unnest(CAST(:ids AS uuid[])) AS r (id)
        ORDER BY id ON CONFLICT DO NOTHING
    )
    SELECT alias_of FROM subject WHERE id = ANY(:ids) AND alias_of IS NOT NULL
""")
# A merged lead and those that became it are one: what is said of one name is meant for all.
_NAMES = text("""
    WITH lead AS (
        SELECT coalesce((SELECT alias_of FROM subject WHERE id = :subject), :subject) AS id
    )
    SELECT id FROM lead UNION SELECT s.id FROM subject s JOIN lead ON s.alias_of = lead.id
""")
_LOOK = Statement("""
    SELECT s.id AS name, t.id, t.alias_of, t.erased_at, t.parked_as, clock_timestamp() AS locked_at
    FROM subject s JOIN subject t ON t.id = coalesce(s.alias_of, s.id) WHERE s.id = ANY(:ids)
""")
_ALIASES = Statement("SELECT id FROM subject WHERE alias_of = ANY(:ids)")
_KNOWN = text("SELECT count(*) FROM subject WHERE id = :name")
_CALLED = text("SELECT alias_of FROM subject WHERE id = :name")
_COLUMNS = "id, alias_of, erased_at, parked_as, clock_timestamp() AS locked_at"
_LOCK = Statement(
    f"SELECT {_COLUMNS} FROM subject WHERE id = ANY(:ids) ORDER BY id FOR UPDATE"  # noqa: S608
)
_LOCK_AT_ONCE = Statement(
    f"SELECT {_COLUMNS} FROM subject WHERE id = ANY(:ids) ORDER BY id FOR UPDATE NOWAIT"  # noqa: S608
)
_NAMED = text("SELECT id, coalesce(alias_of, id) AS target FROM subject WHERE id = ANY(:ids)")
_FREE = text("SELECT id FROM subject WHERE id = ANY(:ids) ORDER BY id FOR UPDATE SKIP LOCKED")
_LOCK_FREE = Statement(
    f"SELECT {_COLUMNS} FROM subject WHERE id = ANY(:ids) AND alias_of IS NULL"  # noqa: S608
    " ORDER BY id FOR UPDATE SKIP LOCKED"
)
_MERGE = text("""
    WITH mark AS (SELECT parked_as FROM subject WHERE id = :merged),
    pointed AS (
        UPDATE subject SET alias_of = :into, parked_as = NULL
        WHERE id = :merged OR alias_of = :merged
    )
    UPDATE subject s SET parked_as = coalesce(s.parked_as, mark.parked_as)
    FROM mark WHERE s.id = :into AND s.erased_at IS NULL AND mark.parked_as IS NOT NULL
""")


async def lock(
    connection: AsyncConnection, ids: Iterable[UUID], *, whole: bool = False
) -> dict[UUID, Subject]:
    """Lock the subjects named, making those that are new; return each name's subject.

    A merged lead is an alias: its name leads to the subject that it became, locked too. `whole`:
    every other name of theirs is locked and returned as well, for who merges, erases or releases
    a lead writes to all its aliases.

    Raises:
        Exception: of contention (`database.errors`), where somebody holds a lock for too long, or
            became an alias, or got one, between being named and being locked: start over.
    """
    names = set(ids)
    if not names:
        return {}
    targets = {row.alias_of for row in await _INSERT.rows(connection, ids=list(names))}
    if whole:
        names |= await _all_names(connection, names | targets)
    found = dict(await _locked(connection, names | targets))
    late = {s.alias_of for s in found.values() if s.alias_of} - found.keys()
    if whole:
        names |= await _all_names(connection, found.keys() | late)
    found |= await _locked(connection, (names | late) - found.keys(), at_once=True)
    return {name: found[found[name].alias_of or name] for name in names}


async def lock_known(connection: AsyncConnection, name: UUID) -> dict[UUID, Subject]:
    """Lock a lead under all its names, whichever of them is given; none where it is unknown."""
    if not await connection.scalar(_KNOWN, {"name": name}):
        return {}
    return await lock(connection, [name], whole=True)


async def merge(connection: AsyncConnection, merged: UUID, *, into: UUID) -> None:
    """Make a lead an alias, and its own aliases those of the other; both are locked whole.

    What is parked of one is now parked of the person: the mark goes over.
    """
    await connection.execute(_MERGE, {"merged": merged, "into": into})


async def look(connection: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, Subject]:
    """Return each name's subject as `lock` would, without a lock, and without making any."""
    wanted = set(ids)
    rows = await _LOOK.rows(connection, ids=sorted(wanted))
    found = {row.name: _subject(row) for row in rows}
    now = await connection.scalar(text("SELECT clock_timestamp()"))
    return {name: found.get(name) or Subject(name, None, None, None, now) for name in wanted}


async def called(connection: AsyncConnection, name: UUID) -> UUID:
    """Return what a lead is called now, for those who only read: a merged one what it became."""
    return await connection.scalar(_CALLED, {"name": name}) or name


async def try_lock(connection: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, Subject]:
    """Lock those of the subjects that exist and that nobody holds; never wait.

    An alias has nothing of its own any more, so it is left out.
    """
    rows = await _LOCK_FREE.rows(connection, ids=sorted(set(ids)))
    return {row.id: _subject(row) for row in rows}


async def held(connection: AsyncConnection, ids: Iterable[UUID]) -> set[UUID]:
    """Return those of the subjects that somebody else holds now; the others are locked."""
    known = (await connection.execute(_NAMED, {"ids": sorted(set(ids))})).all()
    rows = {name for row in known for name in (row.id, row.target)}
    free = set(await connection.scalars(_FREE, {"ids": sorted(rows)}))
    return {row.id for row in known if not {row.id, row.target} <= free}


async def names_of(connection: AsyncConnection, subject: UUID) -> list[UUID]:
    """Return all names of the lead that goes by this one, here: at least the one given."""
    return [row.id for row in await connection.execute(_NAMES, {"subject": subject})]


async def _all_names(connection: AsyncConnection, ids: Iterable[UUID]) -> set[UUID]:
    return {*ids, *(row.id for row in await _ALIASES.rows(connection, ids=sorted(ids)))}


async def _locked(
    connection: AsyncConnection, ids: Iterable[UUID], *, at_once: bool = False
) -> Mapping[UUID, Subject]:
    wanted = list(ids)
    if not wanted:
        return {}
    statement = _LOCK_AT_ONCE if at_once else _LOCK
    rows = await statement.rows(connection, ids=wanted)
    return {row.id: _subject(row) for row in rows}


def _subject(row: Row) -> Subject:
    return Subject(row.id, row.alias_of, row.erased_at, row.parked_as, row.locked_at)
