"""The resolve loop: submissions in order of receipt, a batch a transaction, one holder at a time.

What fails alone is parked alone and stepped over; what fails nobody knows where splits the batch,
down to the one. Which lead a submission belongs to is the use case's business.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from marketing_intake.adapters import submissions
from marketing_intake.adapters.submissions import OutOfStep, Pending
from marketing_intake.entrypoints.resolving import Failed, Resolving
from shared import crash_points
from shared.database.errors import Kind, kind_of
from shared.database.kept import KeptConnection
from shared.loggers import get_logger
from shared.messaging import backoff, pace
from shared.messaging.lease import Lease
from shared.telemetry import metrics, spans
from shared.telemetry.heartbeat import Heartbeat

log = get_logger(__name__)

MOST = 250
_IDLE_SLEEP = 0.025
_LEASE_SLEEP = 0.5
_MEASURE_EVERY = 100


@dataclass(slots=True)
class Resolver:
    """Resolves one database's submissions, while it holds the lease."""

    engine: AsyncEngine
    lease: Lease
    heartbeat: Heartbeat
    secret: bytes
    said: asyncio.Event = field(default_factory=asyncio.Event)
    """Set after each batch: something may have been said in it."""
    kept: KeptConnection = field(init=False)

    def __post_init__(self) -> None:
        """Look by a connection of its own."""
        self.kept = KeptConnection(self.engine)

    async def run(self, stop: asyncio.Event) -> None:
        """Resolve until told to stop."""
        turns = 0
        try:
            while not stop.is_set():
                if not await self.lease.hold():
                    self.heartbeat.stand_by()
                    metrics.OLDEST_UNRESOLVED.clear()
                    await backoff.sleep(_LEASE_SLEEP, stop)
                    continue
                self.heartbeat.free()
                if turns % _MEASURE_EVERY == 0:
                    await self._measure()
                turns += 1
                await backoff.sleep(await self._turn_and_rest(), stop)
        finally:
            await self.kept.close()
        await self.lease.give_back()

    async def _turn_and_rest(self) -> float:
        """Take a turn; return for how many seconds to rest."""
        began = time.monotonic()
        done = await self.turn()
        if not done:
            return _IDLE_SLEEP
        return pace.rest(time.monotonic() - began, full=done == MOST)

    async def _measure(self) -> None:
        async with self.engine.connect() as connection:
            for state, seconds in (await submissions.oldest_unresolved(connection)).items():
                metrics.OLDEST_UNRESOLVED.labels(state).set(seconds)

    async def turn(self) -> int:
        """Resolve what waits, at most one batch; return how many submissions it was."""
        async with self.kept.use() as driver:
            batch, now = await submissions.pending(driver, most=MOST)
        if not batch or now is None:
            self.heartbeat.progress()
            return 0
        crash_points.reach("resolve.after_read")
        try:
            await self.settle(batch, now)
        except OutOfStep:
            log.info("resolve_out_of_step", submissions=len(batch))
        self.said.set()
        self.heartbeat.progress()
        return len(batch)

    async def settle(self, batch: Sequence[Pending], now: datetime) -> None:
        """Resolve a batch; what cannot be is left out of it, down to the one."""
        began = time.monotonic()
        try:
            with spans.together("resolve"):
                outcomes = await Resolving(self.engine, self.secret, now).resolve(batch)
        except Failed as failed:
            await self._park(failed.submission_id, failed.cause)
            await self._settle_rest(batch, failed.submission_id, now)
        except Exception as error:  # noqa: BLE001  sorted there; what is waited through is raised again
            await self._split(batch, now, error)
        else:
            crash_points.reach("resolve.after_commit")
            _measure(batch, outcomes, now)
            _tell(outcomes, time.monotonic() - began)

    async def _settle_rest(self, batch: Sequence[Pending], without: UUID, now: datetime) -> None:
        rest = [one for one in batch if one.id != without]
        if rest:
            await self.settle(rest, now)

    async def _split(self, batch: Sequence[Pending], now: datetime, error: Exception) -> None:
        """Narrow an error down, unless the database is away or the batch was out of step."""
        kind = kind_of(error)
        if kind is Kind.INFRASTRUCTURE or isinstance(error, OutOfStep):
            raise error
        if len(batch) > 1:
            middle = len(batch) // 2
            await self.settle(batch[:middle], now)
            await self.settle(batch[middle:], now)
        elif kind is Kind.CONTENTION:
            log.warning("resolve_busy", submission_id=str(batch[0].id))
        else:
            await self._park(batch[0].id, error)

    async def _park(self, submission_id: UUID, error: BaseException) -> None:
        """Step over a submission. The reason is the error's name: its text may be personal."""
        reason = type(getattr(error, "orig", None) or error).__name__
        log.error("submission_parked", submission_id=str(submission_id), reason=reason)
        async with self.engine.begin() as connection:
            await submissions.park(connection, submission_id, reason=f"failed: {reason}")
        metrics.SUBMISSIONS.labels(outcome="parked").inc()


def _measure(batch: Sequence[Pending], outcomes: Mapping[str, int], now: datetime) -> None:
    for outcome, count in outcomes.items():
        metrics.child(metrics.SUBMISSIONS, outcome).inc(count)
    for one in batch:
        metrics.SUBMISSION_AGE.observe(max(0.0, (now - one.received_at).total_seconds()))


def _tell(outcomes: Mapping[str, int], seconds: float) -> None:
    count = sum(outcomes.values())
    log.info("batch_resolved", submissions=count, seconds=round(seconds, 4), outcomes=outcomes)
