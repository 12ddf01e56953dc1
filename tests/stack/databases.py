"""Fresh databases for the tests: each a copy of one that was migrated once per run."""

import asyncio
import secrets
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.stack.running import Stack, alone
from tests.stack.services import environment

from handoff.embedded.databases import make_database
from shared import limits
from shared.database.engine import open_engine
from shared.settings import DatabaseSettings


async def make_copy(stack: Stack, service: str) -> str:
    """Return the URL of a fresh, migrated database of a service, named by its package."""
    await asyncio.to_thread(_make_template, stack, service)
    name = f"{service}_{secrets.token_hex(4)}"
    async with _Administrator(stack) as administrator:
        await make_database(administrator, name, owner=service, template=_template(service))
    return stack.url(service, name)


async def make_empty(stack: Stack, owner: str) -> str:
    """Return the URL of a fresh database without any table, owned by a service's role."""
    name = f"empty_{secrets.token_hex(4)}"
    async with _Administrator(stack) as administrator:
        await make_database(administrator, name, owner=owner)
    return stack.url(owner, name)


async def make_latin(stack: Stack, owner: str) -> str:
    """Return the URL of a fresh database that keeps western letters alone."""
    name = f"latin_{secrets.token_hex(4)}"
    async with _Administrator(stack) as administrator:
        await administrator.execute(
            f'CREATE DATABASE "{name}" OWNER "{owner}" TEMPLATE template0'
            " ENCODING 'LATIN1' LOCALE 'C'"
        )
    return stack.url(owner, name)


async def drop(stack: Stack, url: str) -> None:
    """Drop a database that `make_copy` made, whoever is still connected."""
    async with _Administrator(stack) as administrator:
        await administrator.execute(f'DROP DATABASE "{url.rpartition("/")[2]}" WITH (FORCE)')


@asynccontextmanager
async def opened(
    url: str, of: limits.DatabaseLimits = limits.WORKER
) -> AsyncGenerator[AsyncEngine]:
    """Use a database for the block: as a worker does, unless told other limits."""
    engine = open_engine(DatabaseSettings(database_url=url), of, hot=True)
    try:
        yield engine
    finally:
        await engine.dispose()


class _Administrator:
    """A connection of the administrator, closed at the end of the block."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    async def __aenter__(self) -> asyncpg.Connection:
        self._connection = await asyncpg.connect(self._stack.postgres_url, ssl=False)
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()


def _template(service: str) -> str:
    return f"template_{service}"


def _make_template(stack: Stack, service: str) -> None:
    done = stack.directory / f"{service}.migrated"
    with alone(stack.directory / f"{service}.lock"):
        if not done.exists():
            asyncio.run(_make_empty(stack, service))
            _migrate(stack, service)
            done.touch()


async def _make_empty(stack: Stack, service: str) -> None:
    async with _Administrator(stack) as administrator:
        name = _template(service)
        await administrator.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await make_database(administrator, name, owner=service)


def _migrate(stack: Stack, service: str) -> None:
    answer = subprocess.run(  # noqa: S603  our own module
        [sys.executable, "-m", f"{service}.migrate"],
        env=environment(stack.url(service, _template(service)), stack.kafka(), "migrate"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        raise RuntimeError(f"{service} migrate ended with {answer.returncode}:\n{answer.stdout}")
