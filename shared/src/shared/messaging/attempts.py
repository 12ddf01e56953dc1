"""How often an event failed: counted in a transaction of its own before each try.

So an event that kills the process (out of memory, a bug in C) is counted too, and after three
tries it parks its lead like any other poison.
"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

MOST = 3
ENDED = "the process ended each time that this was tried"

_COUNT = text("""
    INSERT INTO attempt AS a (event_id, tries)
    SELECT DISTINCT id, 1 FROM unnest(CAST(:ids AS uuid[])) AS r (id) ORDER BY id
    ON CONFLICT (event_id) DO UPDATE SET tries = a.tries + 1, tried_at = clock_timestamp()
    RETURNING event_id, tries
""")
_KNOWN = text("SELECT event_id, tries FROM attempt WHERE event_id = ANY(:ids)")
_FORGET = text("DELETE FROM attempt WHERE event_id = ANY(:ids)")


async def count(engine: AsyncEngine, events: Iterable[UUID]) -> dict[UUID, int]:
    """Count one try of each event, and commit that; return how many there were, this one too."""
    async with engine.begin() as connection:
        rows = await connection.execute(_COUNT, {"ids": list(events)})
        return {row.event_id: row.tries for row in rows}


async def known(engine: AsyncEngine, events: Iterable[UUID]) -> dict[UUID, int]:
    """Return the tries of those events that were ever counted."""
    async with engine.connect() as connection:
        rows = await connection.execute(_KNOWN, {"ids": list(events)})
        return {row.event_id: row.tries for row in rows}


async def forget(connection: AsyncConnection, events: Iterable[UUID]) -> None:
    """Drop the counts of events that were dealt with, in the transaction that did so."""
    await connection.execute(_FORGET, {"ids": list(events)})
