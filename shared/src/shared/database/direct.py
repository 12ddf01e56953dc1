"""Statements on the way of every lead, sent by asyncpg itself on SQLAlchemy's connection.

A batch is a dozen short statements, and two thirds of what such a one costs this process were
SQLAlchemy's (`docs/decisions/0019`). What is asked seldom, or is put together from parts, goes
through SQLAlchemy as ever, in the same transaction.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

import asyncpg
from sqlalchemy import Table, text
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from typing_extensions import override

if TYPE_CHECKING:
    Driver = asyncpg.Connection[asyncpg.Record]
else:
    Driver = asyncpg.Connection  # which takes no parameter where the code runs

_DIALECT = asyncpg_dialect()
_ROLLBACK_SECONDS = 2.0


class Row(asyncpg.Record):
    """A row whose columns are attributes, as SQLAlchemy's are."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the column holds
        """Return the value of a column, and let all rows have an attribute of its name.

        To come here for every value, after Python has looked in vain, took five times as long.
        """
        try:
            value = self[name]
        except KeyError:
            raise AttributeError(name) from None
        setattr(Row, name, property(itemgetter(name)))
        return value


class Statement:
    """A statement with named values (`:name`), translated once.

    On SQLAlchemy's connection it is sent directly only in a transaction that was begun: else
    SQLAlchemy sends it, and begins one by that. So nothing commits before its caller does. On a
    driver's own connection it commits by itself, as everything there.
    """

    def __init__(self, words: str) -> None:
        """Translate it."""
        self._named = text(words)
        compiled = self._named.compile(dialect=_DIALECT)
        self._numbered = str(compiled)
        self._names: Sequence[str] = compiled.positiontup or ()

    @override
    def __str__(self) -> str:
        return str(self._named)

    async def rows(self, connection: AsyncConnection | Driver, **values: object) -> Sequence[Row]:
        """Return all rows."""
        if isinstance(connection, AsyncConnection):
            if not _has_begun(connection):
                rows = (await connection.execute(self._named, values)).all()
                return cast("Sequence[Row]", rows)  # whose columns are attributes, too
            connection = driver_of(connection)
        return await connection.fetch(self._numbered, *self._listed(values), record_class=Row)

    async def value(self, connection: AsyncConnection | Driver, **values: object) -> Any:  # noqa: ANN401
        """Return the first column of the first row; None where there is none."""
        rows = await self.rows(connection, **values)
        return rows[0][0] if rows else None

    async def run(self, connection: AsyncConnection | Driver, **values: object) -> int:
        """Return how many rows it wrote."""
        if isinstance(connection, AsyncConnection):
            if not _has_begun(connection):
                return (await connection.execute(self._named, values)).rowcount
            connection = driver_of(connection)
        status = await connection.execute(self._numbered, *self._listed(values))
        return int(status.rpartition(" ")[2])

    def _listed(self, values: Mapping[str, object]) -> list[object]:
        return [values[name] for name in self._names]


def reading(table: Table, ending: str = "") -> Statement:
    """Return the statement that reads all columns of a table, from its WHERE on.

    They are named: with `*` a column that a migration adds makes every prepared statement stale.
    """
    return Statement(f'SELECT {columns(table)} FROM "{table.name}" {ending}')  # noqa: S608  ours


def columns(table: Table, of: str = "") -> str:
    """Return all columns of a table by name, each of `of` where that is given."""
    prefix = f"{of}." if of else ""
    return ", ".join(f'{prefix}"{column.name}"' for column in table.c)


@asynccontextmanager
async def begin(engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
    """Have one transaction for the block, like `engine.begin()`, at two thirds of its cost."""
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        driver = driver_of(connection)
        try:
            await driver.execute("BEGIN")
            yield connection
            await driver.execute("COMMIT")
        except BaseException:
            await _roll_back(connection, driver)
            raise


async def _roll_back(connection: AsyncConnection, driver: Driver) -> None:
    """Roll back, or give the connection up: the pool must not hand it out in doubt."""
    try:
        await driver.execute("ROLLBACK", timeout=_ROLLBACK_SECONDS)
    except BaseException as error:
        await connection.invalidate()
        if not isinstance(error, Exception):  # else what went wrong before is what is to be told
            raise


def driver_of(connection: AsyncConnection) -> Driver:
    """Return asyncpg's own connection."""
    pooled: Any = connection.sync_connection and connection.sync_connection.connection
    return pooled.driver_connection


def _has_begun(connection: AsyncConnection) -> bool:
    """Tell whether a transaction is open; SQLAlchemy is to meet what is closed, with its pool."""
    driver = driver_of(connection)
    return not driver.is_closed() and driver.is_in_transaction()
