"""What a database must be beside having tables of our version: ours, of all letters, of our time.

Whoever looks (a role at its start, `handoff doctor`) names the setting that led here.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import utc_now
from shared.database.direct import Driver, Row, Statement
from shared.fitness import Fault

_ALL_ROLES = ("migrate", "api", "worker")
SETTING = "HANDOFF_DATABASE_URL"
CLOCK_WARNS = 5.0
"""Ids carry the time at which they were made, and tell by it which lead is older than a hearer."""
CLOCK_STOPS = 300.0
"""By then times are wrong that people and rules go by. The API goes on: a lead that is refused is
lost, one whose time is off is not."""

OF_ITS_OWN = {
    "marketing_intake": "submission",
    "lead_scoring": "scorecard",
    "sales_pipeline": "deal",
    "notifier": "playbook",
}
"""By package, a table that no other service's database has: all else could be anybody's."""

_LOOK = Statement("""
    SELECT clock_timestamp() AS now, current_setting('server_encoding') AS encoding,
           ARRAY(SELECT name FROM unnest(CAST(:names AS text[])) name
                 WHERE to_regclass(name) IS NOT NULL) AS tables
""")


async def faults(
    connection: AsyncConnection | Driver, package: str, setting: str = SETTING
) -> list[Fault]:
    """Return what is amiss with the database itself.

    Raises:
        OSError, SQLAlchemyError, asyncpg.PostgresError: it does not answer.
    """
    before = utc_now()
    row = await _look(connection)
    off = seconds_off(row.now, before, utc_now())
    return [
        *_of_owner(row.tables, package, setting),
        *_of_encoding(row.encoding, setting),
        *_of_clock(off, setting),
    ]


async def of_another(
    connection: AsyncConnection | Driver, package: str, setting: str = SETTING
) -> Fault | None:
    """Return what is amiss with a database that is another service's.

    Raises:
        OSError, SQLAlchemyError, asyncpg.PostgresError: it does not answer.
    """
    faults = _of_owner((await _look(connection)).tables, package, setting)
    return faults[0] if faults else None


async def _look(connection: AsyncConnection | Driver) -> Row:
    (row,) = await _LOOK.rows(connection, names=list(OF_ITS_OWN.values()))
    return row


def seconds_off(there: datetime, before: datetime, after: datetime) -> float:
    """Return how far a clock is ahead that was read between two looks at ours; below 0: behind."""
    ahead, behind = (there - after).total_seconds(), (there - before).total_seconds()
    return max(ahead, 0.0) + min(behind, 0.0)


def why_away(error: BaseException, setting: str = SETTING) -> str:
    """Return why a database does not let us in, in a sentence without the password."""
    cause = getattr(error, "orig", None) or error
    why = str(cause).strip().rstrip(".") or type(cause).__name__
    return f"does not let us in: {why}; see {setting}"


def _of_owner(tables: Collection[str], package: str, setting: str) -> list[Fault]:
    others = [other for other, table in OF_ITS_OWN.items() if table in tables and other != package]
    if not others or OF_ITS_OWN.get(package) in tables:
        return []
    text = f"{setting} leads to the database of {others[0]}: name that of {package}."
    return [Fault(text, stops=_ALL_ROLES)]


def _of_encoding(encoding: str, setting: str) -> list[Fault]:
    if encoding == "UTF8":
        return []
    text = (
        f"The database of {setting} keeps text as {encoding}, so some names cannot be kept:"
        " make it anew with ENCODING 'UTF8' TEMPLATE template0."
    )
    return [Fault(text, stops=_ALL_ROLES)]


def _of_clock(off: float, setting: str) -> list[Fault]:
    if abs(off) <= CLOCK_WARNS:
        return []
    text = f"The clock of the database of {setting} is {off:+.0f} s off ours: set both by NTP."
    return [Fault(text, stops=("worker",) if abs(off) >= CLOCK_STOPS else ())]
