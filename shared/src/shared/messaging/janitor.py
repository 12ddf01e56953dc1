"""The janitor: day partitions ahead of time, and the gauges that nobody's work would set.

Cheap and safe to run by several processes at once.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database import partitions
from shared.messaging import backoff
from shared.telemetry import metrics
from shared.telemetry.heartbeat import Heartbeat

_EVERY_SECONDS = 5.0
_TURNS_A_DAY = 17_280

_OUTBOX = text("""
    SELECT count(*) AS depth,
           coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0) AS oldest
    FROM (SELECT created_at FROM outbox ORDER BY id LIMIT 100000) o
""")
_PARKED = text("""
    SELECT reason, count(DISTINCT subject) AS leads FROM parked GROUP BY reason
""")
_REASONS = ("gap", "poison", "conflict", "busy", "behind", "unreadable", "held")


@dataclass(slots=True)
class Janitor:
    """Keeps one database in order. `partitioned`: its tables by day, with the kind of their key."""

    engine: AsyncEngine
    partitioned: Mapping[str, partitions.Kind]
    heartbeat: Heartbeat

    async def run(self, stop: asyncio.Event) -> None:
        """Tidy up until told to stop."""
        turn = 0
        while not stop.is_set():
            self.heartbeat.beat()
            if turn % _TURNS_A_DAY == 0:
                await self._make_days()
            await self._measure()
            turn += 1
            await backoff.sleep(_EVERY_SECONDS, stop)

    async def _make_days(self) -> None:
        async with self.engine.begin() as connection:
            now = await connection.scalar(text("SELECT clock_timestamp()"))
            for table, kind in self.partitioned.items():
                await partitions.ensure_days(connection, table, kind=kind, now=now)

    async def _measure(self) -> None:
        async with self.engine.connect() as connection:
            outbox = (await connection.execute(_OUTBOX)).one()
            parked = {row.reason: row.leads for row in await connection.execute(_PARKED)}
        metrics.OUTBOX_DEPTH.set(outbox.depth)
        metrics.OUTBOX_OLDEST.set(float(outbox.oldest))
        for reason in _REASONS:
            metrics.PARKED_LEADS.labels(reason=reason).set(parked.get(reason, 0))
