"""The janitor: makes days ahead, drops what is old, and sets the gauges that nobody's work would.

Cheap and safe to run by several processes at once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database import partitions, silent
from shared.database.partitions import DayTable
from shared.loggers import get_logger
from shared.messaging import backoff, retention
from shared.telemetry import metrics
from shared.telemetry.heartbeat import Heartbeat

log = get_logger(__name__)

_EVERY_SECONDS = 5.0
_TURNS_A_SWEEP = 12

_OUTBOX = text("""
    SELECT count(*) AS depth,
           coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0) AS oldest
    FROM (SELECT created_at FROM outbox ORDER BY id LIMIT 100000) o
""")
_PARKED = text("""
    SELECT reason, count(DISTINCT subject) AS leads FROM parked GROUP BY reason
""")
_UNREADABLE = text("""
    SELECT count(*) FROM (SELECT FROM unreadable_record LIMIT 100000) r
""")
_REASONS = ("gap", "poison", "conflict", "busy", "behind", "held")


@dataclass(slots=True)
class Janitor:
    """Keeps one database in order."""

    engine: AsyncEngine
    tables: Sequence[DayTable]
    heartbeat: Heartbeat
    kept: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    async def run(self, stop: asyncio.Event) -> None:
        """Tidy up until told to stop."""
        turn = 0
        while not stop.is_set():
            if turn % _TURNS_A_SWEEP == 0:
                await self.sweep()
            await self._end_silent()
            await self.measure()
            self.heartbeat.progress()
            turn += 1
            await backoff.sleep(_EVERY_SECONDS, stop)

    async def sweep(self) -> None:
        """Make the days to come; drop the days and the rows that are old."""
        async with self.engine.connect() as connection:
            now = await connection.scalar(text("SELECT clock_timestamp()"))
        for table in self.tables:
            self.heartbeat.beat()
            await partitions.ensure_days(self.engine, table, now=now)
            self._tell(table, await partitions.drop_days(self.engine, table, now=now))
        self.heartbeat.beat()
        gone = await retention.delete_old_rows(self.engine)
        if any(gone.values()):
            log.info("old_rows_deleted", **gone)

    def _tell(self, table: DayTable, kept: list[str]) -> None:
        """Say which old days cannot go, when that changes."""
        metrics.DAYS_KEPT.labels(table=table.name).set(len(kept))
        if kept != self.kept.get(table.name, []):
            log.warning("old_days_still_needed", table=table.name, partitions=kept)
        self.kept[table.name] = kept

    async def _end_silent(self) -> None:
        """End what a process that stands still left open in the database."""
        if ended := await silent.end_silent_sessions(self.engine):
            log.warning("silent_sessions_ended", sessions=ended)

    async def measure(self) -> None:
        """Set the gauges of what waits, is parked or was kept aside."""
        async with self.engine.connect() as connection:
            outbox = (await connection.execute(_OUTBOX)).one()
            unreadable = await connection.scalar(_UNREADABLE)
            parked = {row.reason: row.leads for row in await connection.execute(_PARKED)}
        metrics.OUTBOX_DEPTH.set(outbox.depth)
        metrics.OUTBOX_OLDEST.set(float(outbox.oldest))
        metrics.UNREADABLE_RECORDS.set(unreadable or 0)
        for reason in _REASONS:
            metrics.PARKED_LEADS.labels(reason=reason).set(parked.get(reason, 0))
