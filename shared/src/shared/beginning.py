"""What a role looks at in its database before it begins: it waits, warns, or refuses."""

import asyncio

from shared.database import server
from shared.database.errors import Kind, kind_of
from shared.database.schema import Tables
from shared.fitness import Fault, judge
from shared.loggers import get_logger
from shared.messaging import backoff

log = get_logger(__name__)

_LOOK_AGAIN_SECONDS = 2.0


async def wait_for_database(tables: Tables, role: str, stop: asyncio.Event) -> None:
    """Wait until the database answers and has the tables of this code, or until told to stop.

    Who began work earlier would take a missing column for poison. `/readyz` says meanwhile what is
    waited for.

    Raises:
        Unfit: the role must not begin on such a database.
    """
    judge(role, await _faults(tables, stop))
    while not stop.is_set() and (said := await _fault_of(tables)):
        log.warning("waits_for_tables", said=said)
        await backoff.sleep(_LOOK_AGAIN_SECONDS, stop)


async def _faults(tables: Tables, stop: asyncio.Event) -> list[Fault]:
    while not stop.is_set():
        try:
            async with tables.engine.connect() as connection:
                return await server.faults(connection, tables.package)
        except Exception as error:
            if not _is_away(error):
                raise
            log.warning("waits_for_database", said=f"The database {server.why_away(error)}.")
        await backoff.sleep(_LOOK_AGAIN_SECONDS, stop)
    return []


async def _fault_of(tables: Tables) -> str | None:
    try:
        return await tables.fault()
    except Exception as error:
        if not _is_away(error):
            raise
        return f"The database {server.why_away(error)}."


def _is_away(error: Exception) -> bool:
    return kind_of(error) in (Kind.INFRASTRUCTURE, Kind.CONTENTION)
