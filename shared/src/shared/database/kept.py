"""One connection that a loop keeps to itself: checking one out costs more than a short statement.

What runs on it goes to asyncpg directly and commits by itself. One caller at a time.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.database.direct import Driver, driver_of


class KeptConnection:
    """A connection out of the engine's pool, replaced when it was closed while it waited."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Connect at the first use."""
        self._engine = engine
        self._connection: AsyncConnection | None = None

    @asynccontextmanager
    async def use(self) -> AsyncGenerator[Driver]:
        """Have it for the block; after an error of the block the next time is a new start."""
        try:
            yield await self.driver()
        except BaseException:
            await self.close(lost=True)
            raise

    async def driver(self) -> Driver:
        """Return asyncpg's own connection; whoever sees it fail closes it."""
        for _ in range(2):
            if self._connection is None:
                self._connection = await self._engine.connect()
            driver = driver_of(self._connection)
            if not driver.is_closed():
                return driver
            await self.close(lost=True)
        raise ConnectionError("the database closes every connection")

    async def close(self, *, lost: bool = False) -> None:
        """Give the connection back; one that is lost is not to be used again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            if lost:
                await connection.invalidate()
            await connection.close()
