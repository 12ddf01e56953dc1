"""Day partitions of tables that grow for ever: made ahead of time, dropped when they are old.

Each partitioned table has a DEFAULT partition, so that a row is never refused; days are made a
week ahead so that it stays empty.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.ids import first_id_of

Kind = Literal["uuid7", "timestamptz"]
_LOCK = 4_217_001


async def ensure_days(
    connection: AsyncConnection, table: str, *, kind: Kind, now: datetime, days_ahead: int = 7
) -> list[str]:
    """Make the partitions of today and the days ahead that are missing; return their names.

    Safe to run by two processes at once: they take turns.
    """
    await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today + timedelta(days=n) for n in range(days_ahead + 1)]
    return [name for day in days if (name := await _ensure_day(connection, table, day, kind))]


async def _ensure_day(
    connection: AsyncConnection, table: str, day: datetime, kind: Kind
) -> str | None:
    name = f"{table}_{day:%Y%m%d}"
    known = await connection.scalar(text("SELECT to_regclass(:name)"), {"name": name})
    if known is not None:
        return None
    low, high = _bound(day, kind), _bound(day + timedelta(days=1), kind)
    await connection.execute(
        text(f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ('{low}') TO ('{high}')")
    )
    return name


def _bound(day: datetime, kind: Kind) -> str:
    return str(first_id_of(day)) if kind == "uuid7" else day.isoformat()
