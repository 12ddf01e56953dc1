"""Runs a service's migrations: Alembic, one at a time over the whole site, each with limits.

A service's `migrations/env.py` is one call of `run_env`. Tables that every service has come from
numbered scripts in `ddl/`, which a service's migration names; a script never changes once it is
released.
"""

from functools import partial
from importlib import resources

import asyncpg
from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import limits
from shared.database.engine import open_engine
from shared.settings import DatabaseSettings

_ONE_AT_A_TIME = 4_217_000
_LIMITS = limits.DatabaseLimits(statement=60.0, driver=65.0)

_GRANTS = """
DO $$ BEGIN
    REVOKE ALL ON FUNCTION create_api_key, revoke_api_key FROM PUBLIC;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'operations') THEN
        GRANT SELECT ON said, heard, subscribed, story, alias, api_key_list TO operations;
        GRANT SELECT ON audited, moved, broken, owed, effect, excused TO operations;
        GRANT SELECT ON alembic_version TO operations;
        GRANT EXECUTE ON FUNCTION create_api_key, revoke_api_key TO operations;
    END IF;
END $$
"""


async def upgrade(settings: DatabaseSettings, package: str, revision: str = "head") -> None:
    """Bring a database to `revision` of the package's migrations.

    Waits while another process migrates the same database, then finds nothing left to do.
    """
    engine = open_engine(settings, _LIMITS, pool_size=2)
    try:
        async with engine.connect() as guard, engine.connect() as connection:
            await _take_turn(guard)
            await connection.run_sync(_upgrade, package, revision)
    finally:
        await engine.dispose()


async def _take_turn(guard: AsyncConnection) -> None:
    await guard.execute(text("SET lock_timeout = 0"))
    await guard.execute(text("SELECT pg_advisory_lock(:id)"), {"id": _ONE_AT_A_TIME})
    await guard.execute(text("SET idle_in_transaction_session_timeout = 0"))


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
