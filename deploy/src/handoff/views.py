"""Connections of the role `operations`: it sees the views that every database shows, and no table.

What is asked is the callers'; each connection only reads, with time limits.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg

from handoff.services import SERVICES
from handoff.site import Site
from shared import limits

Connection = asyncpg.Connection
Views = Mapping[str, Connection]
"""A connection per service."""

_STATEMENT_SECONDS = 60.0


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
            "default_transaction_read_only": "on" if read_only else "off",
        },
    )
    try:
        yield connection
    finally:
        await connection.close(timeout=limits.CONNECT)


@asynccontextmanager
async def open_views(site: Site) -> AsyncGenerator[Views]:
    """Open the databases of all services for the block."""
    async with AsyncExitStack() as stack:
        yield {
            service.name: await stack.enter_async_context(connect(site.database(service.name)))
            for service in SERVICES
        }
