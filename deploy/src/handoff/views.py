"""Connections of the role `operations`: it sees the views that every database shows, and no table.

What is asked is the callers'; each connection only reads, with time limits.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import asyncpg

from handoff.services import SERVICES, service_named
from handoff.site import DATABASE, Site, variable
from shared import limits
from shared.database import server

Connection = asyncpg.Connection
Views = Mapping[str, Connection]
"""A connection per service."""

_STATEMENT_SECONDS = 60.0
# Portions are read by index ranges, also of tables that have no statistics yet; and what is read is
# little, so a compiler or a second process would cost more than they bring.
_PLANS = {
    "enable_seqscan": "off",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "work_mem": "64MB",
}

T = TypeVar("T")


@asynccontextmanager
async def connect(url: str, *, read_only: bool = True) -> AsyncGenerator[Connection]:
    """Open one database for the block.

    Raises:
        OSError, asyncpg.PostgresError: it does not answer, or does not let us in.
    """
    connection = await asyncpg.connect(
        url,
        timeout=limits.CONNECT,
        command_timeout=_STATEMENT_SECONDS,
        statement_cache_size=0,
        server_settings={
            "application_name": "handoff",
            "timezone": "UTC",
            "default_transaction_read_only": "on" if read_only else "off",
            **_PLANS,
        },
    )
    try:
        yield connection
    finally:
        await connection.close(timeout=limits.CONNECT)


class NoDatabase(OSError):
    """A service's database does not let us in, or is another's; the text names its setting."""


@asynccontextmanager
async def open_database(
    site: Site, service: str, *, read_only: bool = True
) -> AsyncGenerator[Connection]:
    """Open a service's database for the block, and no other's: all databases show like views.

    Raises:
        NoDatabase: it cannot be opened, or the address leads to another.
    """
    known = service_named(service)
    setting = variable(DATABASE, known)
    async with AsyncExitStack() as stack:
        try:
            opening = connect(site.database(service), read_only=read_only)
            connection = await stack.enter_async_context(opening)
            fault = await server.of_another(connection, known.package, setting)
        except (OSError, asyncpg.PostgresError) as error:
            why = server.why_away(error, setting)
            raise NoDatabase(f"The database of {service} {why}.") from error
        if fault:
            raise NoDatabase(fault.text)
        yield connection


@asynccontextmanager
async def open_views(site: Site) -> AsyncGenerator[Views]:
    """Open the databases of all services for the block.

    Raises:
        NoDatabase: one of them cannot be opened.
    """
    async with AsyncExitStack() as stack:
        yield {
            service.name: await stack.enter_async_context(open_database(site, service.name))
            for service in SERVICES
        }


async def side_by_side(questions: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Ask several databases at a time, one question each; the first error counts.

    The others are waited for, so that no connection is closed under a question.
    """
    answers = await asyncio.gather(*questions, return_exceptions=True)
    found: list[T] = []
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
        found.append(answer)
    return found
