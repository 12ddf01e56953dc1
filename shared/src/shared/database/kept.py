"""One connection that a loop keeps to itself: checking one out costs more than a short statement.

What runs on it goes to asyncpg directly and commits by itself. One caller at a time.
"""

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


class KeptConnection:
    """A connection out of the engine's pool, replaced when it was closed while it waited."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Connect at the first use."""
        self._engine = engine
        self._connection: AsyncConnection | None = None

    async def driver(self) -> "asyncpg.Connection[asyncpg.Record]":
        """Return asyncpg's own connection."""
        for _ in range(2):
            if self._connection is None:
                self._connection = await self._engine.connect()
            raw = await self._connection.get_raw_connection()
            driver: asyncpg.Connection[asyncpg.Record] | None = raw.driver_connection
            if driver is not None and not driver.is_closed():
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


class Peek:
    """Tells many times a second whether there is anything to do: `SELECT 1 FROM … LIMIT 1`."""

    def __init__(self, engine: AsyncEngine, question: str) -> None:
        """Ask nothing yet."""
        self._kept = KeptConnection(engine)
        self._question = question

    async def __call__(self) -> bool:
        """Ask once; an error of the database is the caller's, and the next time is a new start."""
        try:
            driver = await self._kept.driver()
            return await driver.fetchval(self._question) is not None
        except BaseException:
            await self._kept.close(lost=True)
            raise

    async def close(self) -> None:
        """Give the connection back."""
        await self._kept.close()
