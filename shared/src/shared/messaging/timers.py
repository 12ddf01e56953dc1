"""Timers: due rows in Postgres, fired under the subject's lock, in one commit with what they say.

`now` is the database's. A subject that somebody holds is skipped and comes again at the next turn;
what a timer needs to know it reads again once the lock is held.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared import crash_points
from shared.contracts.event import Event
from shared.database.errors import Kind, kind_of
from shared.ids import new_id
from shared.loggers import get_logger
from shared.messaging import backoff, outbox, subjects
from shared.telemetry import metrics, trail
from shared.telemetry.heartbeat import Heartbeat

log = get_logger(__name__)

_MOST_SUBJECTS = 200
_SLEEP_SECONDS = 0.5
_NOW = text("SELECT clock_timestamp()")


class Timer(Protocol):
    """Something that becomes due, of one service."""

    @property
    def name(self) -> str:
        """What the metrics call it."""
        ...

    async def due(self, connection: AsyncConnection, now: datetime, limit: int) -> Sequence[UUID]:
        """Return subjects that have something due, the longest due first; take no locks."""
        ...

    async def fire(
        self, connection: AsyncConnection, subjects: Sequence[UUID], now: datetime
    ) -> Sequence[Event]:
        """Read what is due of these locked subjects again, do it, mark it; return what is said."""
        ...


@dataclass(slots=True)
class TimerLoop:
    """Fires one timer."""

    engine: AsyncEngine
    timer: Timer
    heartbeat: Heartbeat

    async def run(self, stop: asyncio.Event) -> None:
        """Fire what is due until told to stop. Any number of processes may run it."""
        while not stop.is_set():
            self.heartbeat.beat()
            if await self._turn() == 0:
                await backoff.sleep(_SLEEP_SECONDS, stop)

    async def _turn(self) -> int:
        """Fire once; return how many subjects were due and free."""
        async with self.engine.connect() as connection:
            now = await connection.scalar(_NOW)
            due = list(await self.timer.due(connection, now, _MOST_SUBJECTS))
        if not due:
            self.heartbeat.progress()
            return 0
        try:
            fired = await self._fire(due, now)
        except Exception as error:
            if kind_of(error) in (Kind.INFRASTRUCTURE, Kind.CONTENTION):
                raise
            fired = await self._one_by_one(due, now)
        if fired:
            self.heartbeat.progress()
            metrics.TIMERS_FIRED.labels(timer=self.timer.name).inc(fired)
        return fired

    async def _one_by_one(self, due: Sequence[UUID], now: datetime) -> int:
        """After a failure: one subject that fails costs no other its time."""
        fired = 0
        for subject in due:
            try:
                fired += await self._fire([subject], now)
            except Exception as error:
                if kind_of(error) in (Kind.INFRASTRUCTURE, Kind.CONTENTION):
                    raise
                log.error(  # noqa: TRY400  an error's own text can hold a person's data
                    "timer_failed", timer=self.timer.name, subject=str(subject),
                          **trail.of(error))  # fmt: skip
        return fired

    async def _fire(self, due: Sequence[UUID], now: datetime) -> int:
        """Lock those that nobody holds, and do in one commit what is due of them."""
        async with self.engine.begin() as connection:
            held = await subjects.try_lock(connection, due)
            crash_points.reach("timer.locked")
            if held:
                events = await self.timer.fire(connection, sorted(held), now)
                said = [(event, outbox.Cause(correlation_id=new_id())) for event in events]
                await outbox.say_all(connection, said)
            crash_points.reach("timer.before_commit")
        crash_points.reach("timer.after_commit")
        return len(held)
