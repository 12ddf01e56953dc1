"""The breaker: a handler that fails on everything stops its consumer before it parks the world.

It counts leads newly parked as poison, in the transaction that parks them: 20 in a row, or more
than 5 % of the last thousand events. It is a row that all members share, so it survives restarts;
each version of the code has its own, so other code goes on by itself, and code that failed stays
stopped until somebody closes its row. After the idea of sentry's arroyo, `DlqLimit`.
"""

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.telemetry import metrics

_IN_A_ROW = 20
_WINDOW = 1000
_SHARE = 0.05
_LOOK_SECONDS = 1.0

# A full window is halved, not emptied: so it always speaks of the last thousand or less.
_COUNT = text("""
    INSERT INTO breaker AS b (name, version, in_a_row, counted, poisoned)
    VALUES (:name, :version, CAST(:poison AS int), CAST(:well AS int) + :poison, :poison)
    ON CONFLICT (name, version) DO UPDATE SET
        asked_at = clock_timestamp(),
        in_a_row = CASE WHEN :well > 0 THEN 0 ELSE b.in_a_row END + :poison,
        counted = (b.counted + :well)
                / CASE WHEN b.counted + :well >= :window THEN 2 ELSE 1 END + :poison,
        poisoned = b.poisoned
                 / CASE WHEN b.counted + :well >= :window THEN 2 ELSE 1 END + :poison
    RETURNING opened_at, reason, in_a_row, poisoned
""")
_OPEN = text("""
    UPDATE breaker SET opened_at = clock_timestamp(), reason = :reason
    WHERE name = :name AND version = :version
""")


class BreakerOpen(Exception):
    """Too much is parked: the consumer stands still until somebody looks."""


@dataclass(slots=True)
class Breaker:
    """What one member knows of its consumer's breaker, under one version of the code."""

    name: str
    version: str
    well: int = 0
    opened: bool = False
    looked_at: float = 0.0

    async def check(self, engine: AsyncEngine) -> None:
        """Write down what went well, and look whether another member opened the breaker.

        Cheap enough to ask before each batch: it looks once a second.

        Raises:
            BreakerOpen: it is open, by this very version of the code.
        """
        if not self.opened and time.monotonic() - self.looked_at < _LOOK_SECONDS:
            return
        async with engine.begin() as connection:
            row = await self._count(connection, poison=0)
        self.looked_at = time.monotonic()
        self._note(is_open=row.opened_at is not None)
        if self.opened:
            raise BreakerOpen(row.reason)

    def went_well(self, events: int) -> None:
        """Count events that were applied; none at all says nothing."""
        self.well += events

    async def went_wrong(self, connection: AsyncConnection, reason: str) -> bool:
        """Count a lead that is to be parked as poison, in the transaction that parks it.

        The lead that opens the breaker is parked; False: it was open already, park nobody.
        """
        row = await self._count(connection, poison=1)
        was_open = row.opened_at is not None
        too_much = row.in_a_row >= _IN_A_ROW or row.poisoned > _WINDOW * _SHARE
        if too_much and not was_open:
            values = {"name": self.name, "version": self.version, "reason": reason}
            await connection.execute(_OPEN, values)
        self._note(is_open=was_open or too_much)
        return not was_open

    def _note(self, *, is_open: bool) -> None:
        self.opened = is_open
        metrics.BREAKER_OPEN.set(is_open)

    async def _count(self, connection: AsyncConnection, *, poison: int) -> Row[Any]:
        """Add what happened since the last time to the row that all members share."""
        values = {
            "name": self.name,
            "version": self.version,
            "well": self.well,
            "poison": poison,
            "window": _WINDOW,
        }
        row = (await connection.execute(_COUNT, values)).one()
        self.well = 0
        return row
