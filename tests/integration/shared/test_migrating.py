"""Migrations: one run at a time, each step within its limits, killed anywhere and run again."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from pathlib import Path

import asyncpg
import pytest
from tests.stack import databases, own_migrations
from tests.stack.own_migrations import OwnMigrations, ended
from tests.stack.running import Stack

from shared import limits
from shared.database import migrate
from shared.settings import DatabaseSettings

WITHIN = 20.0
THINGS = (
    "migrate.execute_many(bind, 'CREATE TABLE thing (id int PRIMARY KEY, name text, size int)')"
)
MANY = "migrate.execute_many(bind, 'INSERT INTO thing (id) SELECT generate_series(1, 5000)')"
COLUMN = "migrate.execute_many(bind, 'ALTER TABLE thing ADD COLUMN kind text')"
SLEEP = "migrate.execute_many(bind, 'SELECT pg_sleep({seconds})')"
INDEX = "online.make_index('thing_name', 'thing (name)')"
BITE = (
    "UPDATE thing SET size = 1 WHERE id IN"
    " (SELECT id FROM thing WHERE size IS NULL ORDER BY id LIMIT 1000)"
)
SLEEPS = "SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"
WAITS = (
    "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '{}%'"
)
LIMITS = (
    "migrate.execute_many(bind, 'CREATE TABLE told AS SELECT"
    " current_setting($$lock_timeout$$) AS lock,"
    " current_setting($$statement_timeout$$) AS statement')"
)
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('thing_name')"
VERSION = "SELECT version_num FROM alembic_version"


@pytest.fixture
async def url(stack: Stack) -> AsyncGenerator[str]:
    url = await databases.make_empty(stack, "notifier")
    yield url
    await databases.drop(stack, url)


@pytest.fixture
def own(url: str, tmp_path: Path) -> OwnMigrations:
    return own_migrations.make(tmp_path, f"own_{secrets.token_hex(4)}", url)


@pytest.fixture
async def asking(url: str) -> AsyncGenerator[asyncpg.Connection]:
    connection = await asyncpg.connect(url, ssl=False)
    yield connection
    await connection.close()


async def until(asking: asyncpg.Connection, question: str) -> None:
    """Wait until a query answers true."""
    async with asyncio.timeout(WITHIN):
        while not await asking.fetchval(question):
            await asyncio.sleep(0.02)


async def killed(own: OwnMigrations, asking: asyncpg.Connection, when: str) -> None:
    """Migrate, and kill that as soon as a query answers true."""
    process = await own.start()
    await until(asking, when)
    process.kill()
    await process.communicate()
    await until(asking, f"SELECT NOT ({when})")


async def test_two_that_come_at_once_migrate_once_also_where_an_index_is_made(
    own: OwnMigrations, asking: asyncpg.Connection
) -> None:
    own.add("0001", THINGS, SLEEP.format(seconds=1))
    own.add("0002", INDEX)

    await asyncio.gather(*(ended(each) for each in [await own.start() for _ in range(3)]))

    assert await asking.fetchval(VERSION) == "0002"
    assert await asking.fetchval(VALID)


async def test_a_kill_between_two_statements_leaves_nothing_of_that_migration(
    own: OwnMigrations, asking: asyncpg.Connection
) -> None:
    own.add("0001", THINGS)
    own.add("0002", COLUMN, SLEEP.format(seconds=3))

    await killed(own, asking, SLEEPS)
    between = await asking.fetchval(VERSION)
    await own.run()

    assert between == "0001"
    assert await asking.fetchval(VERSION) == "0002"
    assert await asking.fetchval("SELECT count(kind) FROM thing") == 0


async def test_an_index_whose_making_was_killed_is_made_anew(
    own: OwnMigrations, asking: asyncpg.Connection, url: str
) -> None:
    own.add("0001", THINGS)
    await own.run()
    own.add("0002", INDEX)
    traffic = await asyncpg.connect(url, ssl=False)

    async with traffic.transaction():
        await traffic.execute("INSERT INTO thing (id) VALUES (1)")
        await killed(own, asking, WAITS.format("CREATE INDEX CONCURRENTLY"))
    between = await asking.fetchval(VALID)
    await own.run()
    await traffic.close()

    assert between is False
    assert await asking.fetchval(VALID)


async def test_a_kill_between_two_bites_keeps_what_was_changed_and_the_next_run_does_the_rest(
    own: OwnMigrations, asking: asyncpg.Connection, url: str
) -> None:
    own.add("0001", THINGS, MANY)
    await own.run()
    own.add("0002", f"online.fill('{BITE}')")
    traffic = await asyncpg.connect(url, ssl=False)

    async with traffic.transaction():
        await traffic.execute("UPDATE thing SET name = 'in use' WHERE id = 2500")
        await killed(own, asking, WAITS.format("UPDATE thing SET size"))
    between = await asking.fetchval("SELECT count(size) FROM thing")
    await own.run()
    await traffic.close()

    assert between == 2000
    assert await asking.fetchval("SELECT count(size) FROM thing") == 5000


async def test_who_waits_behind_a_migration_gets_its_turn_and_so_does_the_migration(
    own: OwnMigrations, asking: asyncpg.Connection, url: str
) -> None:
    own.add("0001", THINGS)
    await own.run()
    own.add("0002", COLUMN)
    holder, behind = [await asyncpg.connect(url, ssl=False) for _ in range(2)]

    async with holder.transaction():
        await holder.execute("SELECT FROM thing")
        process = await own.start()
        await until(asking, WAITS.format("ALTER TABLE thing"))
        began = asyncio.get_running_loop().time()
        await behind.execute("INSERT INTO thing (id) VALUES (1)")
        waited = asyncio.get_running_loop().time() - began
    told = await ended(process)
    await asyncio.gather(holder.close(), behind.close())

    assert waited < limits.LOCK
    assert "migration_gives_way" in told
    assert await asking.fetchval(VERSION) == "0002"


async def test_what_never_gets_its_lock_says_so_and_changes_nothing(
    own: OwnMigrations, asking: asyncpg.Connection, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(own.root))
    own.add("0001", THINGS)
    await own.run()
    own.add("0002", COLUMN)

    async with asking.transaction():
        await asking.execute("SELECT FROM thing")
        with pytest.raises(migrate.TablesInUse, match="end what holds them"):
            await migrate.upgrade(DatabaseSettings(database_url=url), own.package, give_up=0.5)

    assert await asking.fetchval(VERSION) == "0001"


async def test_each_statement_has_the_limits_of_a_migration(
    own: OwnMigrations, asking: asyncpg.Connection
) -> None:
    own.add("0001", THINGS, INDEX, LIMITS)

    await own.run()

    assert tuple(await asking.fetchrow("SELECT lock, statement FROM told")) == ("1s", "1min")


async def test_older_code_leaves_newer_tables_as_they_are(
    own: OwnMigrations, asking: asyncpg.Connection
) -> None:
    own.add("0001", THINGS)
    own.add("0002", COLUMN)
    await own.run()
    own.forget("0002")

    told = await own.run()

    assert "newer_tables" in told
    assert await asking.fetchval(VERSION) == "0002"
