"""The breaker: a handler that fails on everything stops its consumer before it parks the world.

It counts leads newly parked as poison, in the transaction that parks them: 20 in a row, or 5 % of
the last thousand events. It is a row, so it survives restarts; it closes by command, or by itself
when other code runs than the one that opened it. After the idea of sentry's arroyo, `DlqLimit`.
"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.telemetry import metrics

_IN_A_ROW = 20
_WINDOW = 1000
_SHARE = 0.05

_LOAD = text("SELECT * FROM breaker WHERE name = :name")
_SAVE = text("""
    INSERT INTO breaker AS b (name, opened_at, version, reason, in_a_row, counted, poisoned)
    VALUES (:name, CASE WHEN :open THEN clock_timestamp() END, :version, :reason,
            :in_a_row, :counted, :poisoned)
    ON CONFLICT (name) DO UPDATE SET
        opened_at = coalesce(b.opened_at, excluded.opened_at),
        version = CASE WHEN b.opened_at IS NULL THEN excluded.version ELSE b.version END,
        reason = CASE WHEN b.opened_at IS NULL THEN excluded.reason ELSE b.reason END,
        in_a_row = excluded.in_a_row, counted = excluded.counted, poisoned = excluded.poisoned
    RETURNING opened_at IS NOT NULL
""")
_CLOSE = text("""
    UPDATE breaker SET opened_at = NULL, reason = NULL, in_a_row = 0, counted = 0, poisoned = 0
    WHERE name = :name AND version <> :version
""")


class BreakerOpen(Exception):
    """Too much is parked: the consumer stands still until somebody looks."""


@dataclass(slots=True)
class Breaker:
    """The breaker of one consumer, under one version of its code."""

    name: str
    version: str
    in_a_row: int = 0
    counted: int = 0
    poisoned: int = 0
    opened: bool = False

    async def check(self, engine: AsyncEngine) -> None:
        """Read the row; close it where other code opened it.

        Raises:
            BreakerOpen: it is open, by this very version of the code.
        """
        async with engine.begin() as connection:
            row = (await connection.execute(_LOAD, {"name": self.name})).one_or_none()
            if row is None:
                return
            if row.opened_at is not None and row.version == self.version:
                metrics.BREAKER_OPEN.set(1)
                raise BreakerOpen(row.reason)
            self.in_a_row, self.counted, self.poisoned = row.in_a_row, row.counted, row.poisoned
            if row.opened_at is not None:
                self.in_a_row = self.counted = self.poisoned = 0
                values = {"name": self.name, "version": self.version}
                await connection.execute(_CLOSE, values)
            self.opened = False
            metrics.BREAKER_OPEN.set(0)

    def went_well(self, events: int) -> None:
        """Count events that were applied; none at all says nothing."""
        if events == 0:
            return
        self.in_a_row = 0
        self.counted += events
        if self.counted >= _WINDOW:
            self.counted = self.poisoned = 0

    async def went_wrong(self, connection: AsyncConnection, reason: str) -> None:
        """Count a lead that is being parked as poison, in the transaction that parks it.

        The lead that opens the breaker is parked; the next one is not even tried.
        """
        self.in_a_row += 1
        self.counted += 1
        self.poisoned += 1
        await self._save(connection, reason=reason if self._exceeds() else None)

    def is_too_much(self) -> bool:
        """Tell whether so much was parked, here or by another member, that this one must stop."""
        return self.opened or self._exceeds()

    def _exceeds(self) -> bool:
        return self.in_a_row >= _IN_A_ROW or self.poisoned > _WINDOW * _SHARE

    async def _save(self, connection: AsyncConnection, *, reason: str | None) -> None:
        values = {
            "name": self.name,
            "version": self.version,
            "open": reason is not None,
            "reason": reason,
            "in_a_row": self.in_a_row,
            "counted": self.counted,
            "poisoned": self.poisoned,
        }
        self.opened = bool(await connection.scalar(_SAVE, values))
