"""Writes any number of rows by one statement: `INSERT … SELECT FROM unnest(arrays)`.

A batch costs one round trip a table whatever its size, and the statement's text never changes,
so it is planned alike for one row and for five hundred.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Column, Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database.direct import Statement

Values = Mapping[str, Any]
"""A row that is to be written, by column."""
_DIALECT = asyncpg_dialect()


class Insert:
    """Inserts rows. `ignore_repeats` leaves out those whose key is taken already."""

    def __init__(
        self, table: Table, *, columns: Sequence[str] = (), ignore_repeats: bool = False
    ) -> None:
        """Prepare the statement for `columns` of the table, or for all of them."""
        self._columns = _chosen(table, columns)
        ending = "ON CONFLICT DO NOTHING" if ignore_repeats else ""
        self._statement = Statement(f"{_insert(table, self._columns)} {ending}")

    async def run(self, connection: AsyncConnection, rows: Sequence[Values]) -> int:
        """Write the rows in their order; return how many were written. No row, no statement."""
        if not rows:
            return 0
        return await self._statement.run(connection, **_arrays(self._columns, rows))


class Upsert(Insert):
    """Inserts rows, or overwrites those that have the same key.

    With `newer` a row is overwritten only by one whose value in that column is higher.
    The rows of one call must have different keys, as Postgres demands.
    """

    def __init__(
        self,
        table: Table,
        *,
        key: Sequence[str] = ("id",),
        columns: Sequence[str] = (),
        keep: Sequence[str] = ("created_at",),
        newer: str | None = None,
    ) -> None:
        """Prepare the statement; columns in `keep` are written at the first insert only."""
        self._columns = _chosen(table, columns)
        changed = [c.name for c in self._columns if c.name not in {*key, *keep}]
        sets = ", ".join(f'"{name}" = excluded."{name}"' for name in changed)
        only = f'WHERE excluded."{newer}" > "{table.name}"."{newer}"' if newer else ""
        keys = ", ".join(f'"{name}"' for name in key)
        ending = f"ON CONFLICT ({keys}) DO UPDATE SET {sets} {only}"
        self._statement = Statement(f"{_insert(table, self._columns)} {ending}")


def _chosen(table: Table, names: Sequence[str]) -> list[Column[Any]]:
    return [table.c[name] for name in names] if names else list(table.c)


def _insert(table: Table, columns: Sequence[Column[Any]]) -> str:
    names = ", ".join(f'"{c.name}"' for c in columns)
    values = ", ".join(_selected(c) for c in columns)
    arrays = ", ".join(f"CAST(:{c.name} AS {_array_type(c)})" for c in columns)
    return (
        f'INSERT INTO "{table.name}" ({names}) '  # noqa: S608  names of our own tables
        f"SELECT {values} FROM unnest({arrays}) WITH ORDINALITY AS r ({names}, nth) ORDER BY nth"
    )


def _selected(column: Column[Any]) -> str:
    return f'"{column.name}"::jsonb' if isinstance(column.type, JSONB) else f'"{column.name}"'


def _array_type(column: Column[Any]) -> str:
    if isinstance(column.type, JSONB):
        return "text[]"
    return f"{column.type.compile(dialect=_DIALECT)}[]"


def _arrays(columns: Sequence[Column[Any]], rows: Sequence[Values]) -> dict[str, list[Any]]:
    return {c.name: _array(c, [row.get(c.name) for row in rows]) for c in columns}


def _array(column: Column[Any], values: list[Any]) -> list[Any]:
    return [_json(value) for value in values] if isinstance(column.type, JSONB) else values


def _json(value: Any) -> str | None:  # noqa: ANN401  JSON takes anything
    return None if value is None else orjson.dumps(value, default=str).decode()
