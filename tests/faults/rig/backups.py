"""Brings a service's database back to an earlier moment, under the feet of whoever uses it."""

import asyncpg
from tests.faults.rig.rig import Rig

_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"


async def save(rig: Rig, service: str, moment: str) -> None:
    """Keep the database as it is now, under the name of the moment."""
    name = _name(rig, service)
    await _alone(
        rig, name, f'CREATE DATABASE "{name}_{moment}" TEMPLATE "{name}" OWNER "{service}"'
    )


async def restore(rig: Rig, service: str, moment: str) -> None:
    """Put the database of that moment, which is used up by this, in the place of the present."""
    name = _name(rig, service)
    await _alone(
        rig,
        name,
        f'DROP DATABASE "{name}" WITH (FORCE)',
        f'ALTER DATABASE "{name}_{moment}" RENAME TO "{name}"',
    )


def _name(rig: Rig, service: str) -> str:
    return rig.urls[service].rpartition("/")[2]


async def _alone(rig: Rig, name: str, *statements: str) -> None:
    """Run statements while nobody is in the database."""
    administrator = await asyncpg.connect(rig.stack.postgres_url, ssl=False)
    allow = f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS'
    try:
        await administrator.execute(f"{allow} false")
        await administrator.fetch(_END, name)
        for statement in statements:
            await administrator.execute(statement)
        await administrator.execute(f"{allow} true")
    finally:
        await administrator.close()
