"""The job that brings a service's database up to date, and ends: `python -m <package>.migrate`.

A program of its own, because Alembic takes eleven megabytes that no process needs which runs on.
"""

import argparse
import asyncio

from shared.database import migrate, server
from shared.database.engine import open_engine
from shared.database.errors import Kind, kind_of
from shared.fitness import Unfit, judge
from shared.process import S, package_of, read_settings, refuse
from shared.settings import DatabaseSettings
from shared.telemetry import logging


def main(service: str, settings: type[S]) -> int:
    """Migrate to the newest version; return the process's exit code."""
    package = package_of(service)
    parser = argparse.ArgumentParser(prog=f"python -m {package}.migrate")
    parser.parse_args()
    told = read_settings(settings, parser)
    logging.configure(told, service=service, role="migrate")
    try:
        asyncio.run(_migrate(told, package))
    except Unfit as unfit:
        return refuse([unfit])
    except migrate.TablesInUse as error:
        parser.exit(1, f"{error}\n")
    return 0


async def _migrate(settings: DatabaseSettings, package: str) -> None:
    await _examine(settings, package)
    await migrate.upgrade(settings, package)


async def _examine(settings: DatabaseSettings, package: str) -> None:
    """Look at the database before anything is made in it.

    Raises:
        Unfit: it is away (a job is tried again), or such that no table should be there.
    """
    engine = open_engine(settings, pool_size=1)
    try:
        async with engine.connect() as connection:
            judge("migrate", await server.faults(connection, package))
    except Exception as error:
        if kind_of(error) is not Kind.INFRASTRUCTURE:
            raise
        raise Unfit(f"The database {server.why_away(error)}.") from None
    finally:
        await engine.dispose()
