"""Runs a service's migrations: Alembic, one at a time over the whole site, each with limits.

A service's `migrations/env.py` is one call of `run_env`. Tables that every service has come from
numbered scripts in `ddl/`, which a service's migration names; a script never changes once it is
released. What is done beside traffic, outside of one transaction, is in `online`.
"""

import asyncio
import random
import time
from functools import partial
from importlib import resources

import asyncpg
from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import limits
from shared.database import schema
from shared.database.engine import open_engine
from shared.database.errors import Kind, kind_of
from shared.loggers import get_logger
from shared.settings import DatabaseSettings

log = get_logger(__name__)

_ONE_AT_A_TIME = 4_217_000
_TURN = text("SELECT pg_try_advisory_lock(:id)")
_ASK_AGAIN_SECONDS = 0.5
_GIVE_WAY_SECONDS = 2.0
_END_IF_IDLE = text("SET idle_session_timeout = '60s'")

_GRANTS = """
DO $$ BEGIN
    REVOKE ALL ON FUNCTION create_api_key, revoke_api_key FROM PUBLIC;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'operations') THEN
        GRANT SELECT ON said, heard, subscribed, story, alias, api_key_list TO operations;
        GRANT SELECT ON audited, moved, broken, owed, effect, excused, restored TO operations;
        GRANT SELECT ON alembic_version TO operations;
        GRANT EXECUTE ON FUNCTION create_api_key, revoke_api_key TO operations;
    END IF;
END $$
"""


class TablesInUse(Exception):
    """Traffic never let go of what a migration needs; the text says what to do."""


async def upgrade(
    settings: DatabaseSettings,
    package: str,
    revision: str = "head",
    *,
    give_up: float = limits.MIGRATION_GIVES_UP,
) -> None:
    """Bring a database to `revision` of the package's migrations; a newer one stays as it is.

    Waits while another process migrates the same database, then finds nothing left to do. A
    migration that does not get a lock gives way to who waits behind it, and is tried again.

    Raises:
        TablesInUse: it did not get it for so many seconds.
    """
    engine = open_engine(settings, limits.MIGRATION, pool_size=2)
    try:
        async with engine.connect() as connection:
            await _take_turn(connection)
            has = await schema.Tables(engine, package).version()
            if has is not None and schema.is_newer(package, has):
                said = schema.said_of_newer(package, has)
                log.warning("newer_tables", said=f"{said} Nothing is migrated.")
                return
            await _insist(connection, package, revision, give_up)
    finally:
        await engine.dispose()


async def _take_turn(connection: AsyncConnection) -> None:
    """Wait for the lock; the session that migrates has it, so it ends with what that still does.

    It is asked for again and again: a statement that waits has a snapshot, and an index that the
    other one makes beside traffic would wait for this one to end.
    """
    await connection.execute(_END_IF_IDLE)
    while not await connection.scalar(_TURN, {"id": _ONE_AT_A_TIME}):
        await connection.commit()
        await asyncio.sleep(_ASK_AGAIN_SECONDS)
    await connection.commit()


async def _insist(connection: AsyncConnection, package: str, revision: str, give_up: float) -> None:
    """Migrate; what does not get its locks is tried again, from the version that was reached."""
    end = time.monotonic() + give_up
    while True:
        try:
            return await connection.run_sync(_upgrade, package, revision)
        except Exception as error:
            if kind_of(error) is not Kind.CONTENTION:
                raise
            if time.monotonic() > end:
                raise TablesInUse(
                    f"The tables were in use for {give_up:.0f} s, so they were not changed:"
                    f" end what holds them (see pg_locks) and run `python -m {package}.migrate`."
                ) from error
            log.warning("migration_gives_way", error=type(error).__name__)
        await connection.rollback()
        await asyncio.sleep(random.uniform(0, _GIVE_WAY_SECONDS))  # noqa: S311  not a secret


def _upgrade(connection: Connection, package: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", f"{package}:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def run_env(metadata: MetaData) -> None:
    """Run the migrations on the connection that `upgrade` opened: all of `migrations/env.py`."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(
        connection=connection, target_metadata=metadata, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()


def execute_script(connection: Connection, name: str) -> None:
    """Run `ddl/<name>.sql`, many statements at once, in the migration's transaction."""
    sql = resources.files("shared.database").joinpath("ddl", f"{name}.sql").read_text()
    execute_many(connection, sql)


def execute_many(connection: Connection, sql: str) -> None:
    """Run several statements in the migration's transaction.

    asyncpg prepares what comes through SQLAlchemy, and one prepared statement is one statement;
    its own `execute` takes a script. The first statement sees to it that the transaction is open.
    """
    connection.execute(text("SELECT 1"))
    driver = connection.connection.dbapi_connection
    if driver is None:  # pragma: no cover  SQLAlchemy's type says so; an open connection has one
        raise RuntimeError("the connection is closed")
    driver.run_async(partial(_execute, sql=sql))


async def _execute(raw: "asyncpg.Connection[asyncpg.Record]", *, sql: str) -> None:
    await raw.execute(sql)


def grant_operations(connection: Connection) -> None:
    """Let the role `operations` see the audit's views and make keys, where that role exists."""
    execute_many(connection, _GRANTS)
