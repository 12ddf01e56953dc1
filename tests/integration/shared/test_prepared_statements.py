"""Statements are prepared once for each connection, also under a migration and behind a pooler."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.stack import databases

from shared.database.engine import open_engine
from shared.database.errors import Kind, kind_of
from shared.settings import DatabaseSettings

ALL = text("SELECT * FROM thing")
PREPARED = text("SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%thing%'")


async def _prepared(engine: AsyncEngine) -> int:
    async with engine.begin() as connection:
        await connection.execute(ALL)
    async with engine.begin() as connection:
        await connection.execute(ALL)
        return len((await connection.execute(PREPARED)).all())


async def test_a_statement_is_prepared_once_for_each_connection(url: str) -> None:
    async with databases.opened(url) as engine:
        assert await _prepared(engine) == 2  # and the one that asks


async def test_behind_a_pooler_for_transactions_nothing_stays_prepared(url: str) -> None:
    engine = open_engine(DatabaseSettings(database_url=url, database_prepares=False))
    try:
        assert await _prepared(engine) <= 1
    finally:
        await engine.dispose()


async def test_a_migration_between_two_uses_asks_for_another_try_and_no_more(url: str) -> None:
    async with databases.opened(url) as engine:
        async with engine.begin() as connection:
            await connection.execute(ALL)
        async with databases.opened(url) as migrating, migrating.begin() as other:
            await other.execute(text("ALTER TABLE thing ADD COLUMN colour text"))
        with pytest.raises(DBAPIError) as refused:
            async with engine.begin() as connection:
                await connection.execute(ALL)
        async with engine.begin() as connection:
            columns = list((await connection.execute(ALL)).keys())

    assert kind_of(refused.value) is Kind.CONTENTION
    assert columns == ["id", "name", "colour"]
