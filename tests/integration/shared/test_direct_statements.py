"""A statement that goes past SQLAlchemy is in the same transaction as one that does not."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest
from asyncpg.exceptions import InvalidCachedStatementError, PostgresError
from sqlalchemy import Column, Integer, MetaData, Table, Text, text
from sqlalchemy.exc import InterfaceError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.stack import databases

from shared import limits
from shared.database.direct import Statement, begin, driver_of, reading
from shared.database.engine import open_engine
from shared.database.errors import Kind, kind_of
from shared.database.kept import KeptConnection
from shared.settings import DatabaseSettings

Begin = Callable[[AsyncEngine], AbstractAsyncContextManager[AsyncConnection]]

ALL = Statement("SELECT id, name FROM thing WHERE id = ANY(:ids) OR id > ANY(:ids) ORDER BY id")
ADD = Statement("INSERT INTO thing (id, name) SELECT id, :name FROM unnest(CAST(:ids AS int[])) id")
ADD_BY_SQLALCHEMY = text("INSERT INTO thing (id, name) VALUES (9, 'nine')")
END_MYSELF = Statement("SELECT pg_terminate_backend(pg_backend_pid())")
MINE = Statement("SELECT pg_backend_pid()")
SLEEP = Statement("SELECT pg_sleep(:seconds)")
PREPARED = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT id%'")


class Wrong(Exception):
    """What goes wrong in the middle."""


def by_sqlalchemy(engine: AsyncEngine) -> AbstractAsyncContextManager[AsyncConnection]:
    return engine.begin()


either_way = pytest.mark.parametrize("begun", [begin, by_sqlalchemy])


@pytest.fixture
async def engine(url: str) -> AsyncGenerator[AsyncEngine]:
    """Have an engine with one connection: what is wrong with it the next one who asks finds out."""
    engine = open_engine(DatabaseSettings(database_url=url), pool_size=1)
    yield engine
    await engine.dispose()


async def there(engine: AsyncEngine) -> list[int]:
    async with begin(engine) as connection:
        return [row.id for row in await ALL.rows(connection, ids=[0])]


@either_way
async def test_both_ways_of_sending_are_committed_together(
    engine: AsyncEngine, begun: Begin
) -> None:
    async with begun(engine) as connection:
        assert await ADD.run(connection, ids=[1, 2], name="first") == 2
        await connection.execute(ADD_BY_SQLALCHEMY)
        assert await ADD.run(connection, ids=[3], name="last") == 1

    assert await there(engine) == [1, 2, 3, 9]


@either_way
async def test_both_ways_of_sending_are_rolled_back_together(
    engine: AsyncEngine, begun: Begin
) -> None:
    async def work() -> None:
        async with begun(engine) as connection:
            await ADD.run(connection, ids=[1, 2], name="first")
            await connection.execute(ADD_BY_SQLALCHEMY)
            await ADD.run(connection, ids=[3], name="last")
            raise Wrong

    with pytest.raises(Wrong):
        await work()
    assert await there(engine) == []


@either_way
async def test_rows_have_their_columns_as_attributes(engine: AsyncEngine, begun: Begin) -> None:
    async with begun(engine) as connection:
        await ADD.run(connection, ids=[1], name="one")
        for _ in range(2):
            (row,) = await ALL.rows(connection, ids=[1])
            assert (row.id, row.name, row[1]) == (1, "one", "one")
            with pytest.raises(AttributeError):
                _ = row.colour


async def test_where_a_statement_ended_the_session_the_next_one_gets_another(
    engine: AsyncEngine,
) -> None:
    async def work() -> None:
        async with begin(engine) as connection:
            await ADD.run(connection, ids=[1], name="lost")
            await END_MYSELF.rows(connection)

    with pytest.raises(PostgresError) as lost:
        await work()
    assert kind_of(lost.value) is Kind.INFRASTRUCTURE
    assert await there(engine) == []


async def test_after_an_error_of_the_block_the_session_goes_on_to_be_used(
    engine: AsyncEngine,
) -> None:
    seen: list[int] = []

    async def work() -> None:
        async with begin(engine) as connection:
            seen.append(await MINE.value(connection))
            raise Wrong

    with pytest.raises(Wrong):
        await work()
    async with begin(engine) as connection:
        assert seen == [await MINE.value(connection)]


async def test_a_connection_that_closed_in_the_pool_costs_one_try(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        driver_of(connection).terminate()

    async def look() -> object:
        async with engine.connect() as connection:
            return await MINE.value(connection)

    with pytest.raises(InterfaceError) as lost:
        await look()
    assert kind_of(lost.value) is Kind.INFRASTRUCTURE
    assert await look()


@either_way
async def test_a_session_on_which_something_took_too_long_is_not_used_again(
    url: str, begun: Begin
) -> None:
    short = replace(limits.API, driver=0.2)
    engine = open_engine(DatabaseSettings(database_url=url), short, pool_size=1)
    seen: list[int] = []

    async def work() -> None:
        async with begun(engine) as connection:
            seen.append(await connection.scalar(text("SELECT pg_backend_pid()")))
            await connection.execute(text("SELECT pg_sleep(2)"))

    with pytest.raises(TimeoutError):
        await work()
    async with begun(engine) as connection:
        assert seen != [await MINE.value(connection)]
    await engine.dispose()


@either_way
async def test_nothing_stays_of_a_transaction_in_which_a_statement_took_too_long(
    url: str, begun: Begin
) -> None:
    short = replace(limits.API, driver=0.2)
    engine = open_engine(DatabaseSettings(database_url=url), short, pool_size=1)

    async def work() -> None:
        async with begun(engine) as connection:
            await ADD.run(connection, ids=[1], name="late")
            await SLEEP.rows(connection, seconds=2.0)

    with pytest.raises(TimeoutError):
        await work()
    assert await there(engine) == []
    await engine.dispose()


async def test_who_is_cancelled_in_a_statement_leaves_nothing_open(engine: AsyncEngine) -> None:
    async def work() -> None:
        async with begin(engine) as connection:
            await ADD.run(connection, ids=[1], name="half")
            began.set()
            await SLEEP.rows(connection, seconds=60.0)

    began = asyncio.Event()
    working = asyncio.create_task(work())
    await began.wait()  # it goes on once the statement that sleeps was sent
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working

    assert await there(engine) == []


async def test_after_a_migration_a_statement_is_to_be_tried_once_more(
    engine: AsyncEngine, url: str
) -> None:
    whole = Statement("SELECT * FROM thing")
    async with begin(engine) as connection:
        await whole.rows(connection)
    async with databases.opened(url) as migrating, migrating.begin() as other:
        await other.execute(text("ALTER TABLE thing ADD COLUMN colour text"))

    with pytest.raises(InvalidCachedStatementError) as stale:
        async with begin(engine) as connection:
            await whole.rows(connection)

    assert kind_of(stale.value) is Kind.CONTENTION
    async with begin(engine) as connection:
        assert await whole.rows(connection) == []


async def test_a_statement_that_names_its_columns_is_not_stale_after_a_migration_that_adds_one(
    engine: AsyncEngine, url: str
) -> None:
    thing = Table("thing", MetaData(), Column("id", Integer), Column("name", Text))
    known = reading(thing, "WHERE id = :id")
    async with begin(engine) as connection:
        await ADD.run(connection, ids=[1], name="one")
        await known.rows(connection, id=1)
    async with databases.opened(url) as migrating, migrating.begin() as other:
        await other.execute(text("ALTER TABLE thing ADD COLUMN colour text"))

    async with begin(engine) as connection:
        (row,) = await known.rows(connection, id=1)
        assert dict(row) == {"id": 1, "name": "one"}


@pytest.mark.parametrize(("prepares", "kept"), [(True, 1), (False, 0)])
async def test_it_stays_prepared_only_where_no_pooler_stands_between(
    url: str, *, prepares: bool, kept: int
) -> None:
    engine = open_engine(DatabaseSettings(database_url=url, database_prepares=prepares))
    try:
        for _ in range(2):
            async with begin(engine) as connection:
                await ALL.rows(connection, ids=[0])
                prepared = await connection.scalar(PREPARED)
    finally:
        await engine.dispose()

    assert prepared == kept


async def test_a_loop_keeps_its_connection_until_an_error(engine: AsyncEngine) -> None:
    loop = KeptConnection(engine)
    async with loop.use() as driver:
        first = await MINE.value(driver)
    async with loop.use() as driver:
        assert await MINE.value(driver) == first

    with pytest.raises(Wrong):
        async with loop.use():
            raise Wrong

    async with loop.use() as driver:
        assert await MINE.value(driver) != first
    await loop.close()
