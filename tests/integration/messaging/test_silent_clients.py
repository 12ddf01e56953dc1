"""A client that falls silent in the middle of a statement does not keep its locks for ever."""

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database.silent import end_silent_sessions
from shared.ids import new_id
from shared.messaging import subjects


async def test_locks_of_a_client_that_owes_half_a_statement_are_freed(
    engine: AsyncEngine,
) -> None:
    lead = new_id()
    async with engine.begin() as connection:
        await subjects.lock(connection, [lead])
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    silent = await asyncpg.connect(url, ssl=False, statement_cache_size=0)
    try:
        await silent.execute("BEGIN")
        await silent.execute("SELECT FROM subject WHERE id = $1 FOR UPDATE", lead)
        await silent.prepare("SELECT 1")

        assert await end_silent_sessions(engine, seconds=30) == 0
        assert await end_silent_sessions(engine, seconds=0) == 1

        async with engine.begin() as connection:
            await connection.execute(text("SET LOCAL lock_timeout = '5s'"))
            assert list(await subjects.lock(connection, [lead])) == [lead]
    finally:
        silent.terminate()
