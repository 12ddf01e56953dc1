"""Carries out what people ask for through the API: release or discard what is parked of a lead.

The API writes an order; the worker, which has the handlers, does the work. What failed for being
busy is released here by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared import crash_points
from shared.contracts.catalogue import heard_by
from shared.database.errors import Kind, kind_of
from shared.loggers import get_logger
from shared.messaging import backoff, holds, subjects
from shared.messaging.batch import Batch
from shared.messaging.consumer import subscribe
from shared.messaging.heard import D, Hearer
from shared.messaging.lease import Lease
from shared.messaging.release import Note, NothingParked, Release, StillFailing
from shared.telemetry.heartbeat import Heartbeat

log = get_logger(__name__)

_SLEEP_SECONDS = 0.5
_BUSY_SECONDS = 5.0
_MOST_ORDERS = 20
_MOST_BUSY = 100

# Who asks for one lead does not wait for a release of thousands.
_OPEN = text("""
    SELECT id, verb, subject, actor FROM parking_order WHERE done_at IS NULL
    ORDER BY release_id IS NOT NULL, asked_at LIMIT :most
""")
_COUNT = text("UPDATE parking_order SET count = coalesce(count, 0) + :count WHERE id = :id")
_DONE = text("""
    UPDATE parking_order SET done_at = clock_timestamp(), count = coalesce(count, 0) + :count,
           error = :error
    WHERE id = :id AND done_at IS NULL
    RETURNING count
""")
# What is parked as poison waits for a person; a busy event of that lead waits with it.
_BUSY = text("""
    SELECT p.subject FROM parked_event p
    LEFT JOIN subject s ON s.id = p.subject LEFT JOIN subject t ON t.id = s.alias_of
    WHERE p.reason = 'busy' AND p.parked_at < clock_timestamp() - make_interval(secs => :seconds)
      AND s.parked_as IS NULL AND t.parked_as IS NULL
    GROUP BY p.subject ORDER BY min(p.parked_at) LIMIT :most
""")


Step = Callable[[UUID], Awaitable[int]]
"""A part of the work on one lead; it returns how many events it dealt with and did not note yet.

What cannot be told again is noted in the transaction that does it: the audit excuses by it.
"""
Lift = Callable[[AsyncConnection, Sequence[UUID]], Awaitable[int]]
"""A way to deal with what Kafka does not take of a lead; it returns how many events that were."""


@dataclass(slots=True)
class Orders(Generic[D]):
    """The worker's side; a service that hears nothing has only what Kafka does not take."""

    engine: AsyncEngine
    service: str
    hearer: Hearer[D] | None
    lease: Lease
    heartbeat: Heartbeat
    release: Release[D] | None = field(init=False, default=None)

    async def run(self, stop: asyncio.Event) -> None:
        """Carry out orders until told to stop; of several workers one does."""
        if self.hearer is not None and self.release is None:
            started_at = await subscribe(self.engine, heard_by(self.service))
            self.release = Release(self.engine, Batch(self.engine, self.hearer, started_at))
        try:
            while not stop.is_set():
                if not await self.lease.hold():
                    self.heartbeat.stand_by()
                elif await self._turn() == _MOST_ORDERS:
                    continue
                await backoff.sleep(_SLEEP_SECONDS, stop)
        finally:
            await self.lease.give_back()

    async def _turn(self) -> int:
        """Carry out some orders; return how many were done."""
        self.heartbeat.beat()
        async with self.engine.connect() as connection:
            orders = (await connection.execute(_OPEN, {"most": _MOST_ORDERS})).all()
        done = sum([await self._one(order) for order in orders])
        if self.release is not None:
            await self._release_busy(self.release)
        self.heartbeat.progress()
        return done

    async def _release_busy(self, release: Release[D]) -> None:
        """Release what was busy, of leads that nobody holds now; what fails waits for a person."""
        async with self.engine.begin() as connection:
            values = {"seconds": _BUSY_SECONDS, "most": _MOST_BUSY}
            busy = list(await connection.scalars(_BUSY, values))
            held = await subjects.held(connection, busy) if busy else set[UUID]()
        for subject in [each for each in busy if each not in held]:
            self.heartbeat.beat()
            await self._carry_out(subject, [release.release])

    async def _one(self, order: Row[Any]) -> bool:
        self.heartbeat.beat()
        outcome = await self._carry_out(order.subject, self._steps(order))
        crash_points.reach("orders.before_done")
        if outcome is None:
            return False
        async with self.engine.begin() as connection:
            values = {"id": order.id, "count": outcome[0], "error": outcome[1]}
            count = await connection.scalar(_DONE, values)
        log.info("parking_order_done", verb=order.verb, subject=str(order.subject),
                 actor=order.actor, count=count, failed=outcome[1] is not None)  # fmt: skip
        return True

    def _steps(self, order: Row[Any]) -> Sequence[Step]:
        """Return what an order means: for what Kafka does not take, and for what is parked here."""
        release = order.verb == "release"
        note = partial(_note, order.id)
        lift = partial(self._lift, holds.release if release else holds.discard, note)
        if self.release is None:
            return [lift]
        return [lift, self.release.release if release else partial(_discard, self.release, note)]

    async def _carry_out(
        self, subject: UUID, steps: Sequence[Step]
    ) -> tuple[int, str | None] | None:
        """Return how many events were dealt with, and what failed; None: somebody holds the lead.

        Then the order stays open for the next turn, and holds no other order up.
        """
        count = 0
        try:
            for step in steps:
                count += await step(subject)
        except NothingParked:
            return count, None
        except StillFailing as error:
            return count + error.count, str(error)
        except Exception as error:
            kind = kind_of(error)
            if kind is Kind.INFRASTRUCTURE:
                raise
            log.warning("parking_order_failed", subject=str(subject), error=type(error).__name__)
            return None if kind is Kind.CONTENTION else (count, type(error).__name__)
        return count, None

    async def _lift(self, work: Lift, note: Note, subject: UUID) -> int:
        """Release or discard what Kafka does not take of the lead."""
        async with self.engine.begin() as connection:
            locked = await subjects.lock_known(connection, subject)
            await note(connection, await work(connection, sorted(locked)))
        return 0


async def _discard(release: Release[D], note: Note, subject: UUID) -> int:
    await release.discard(subject, note)
    return 0


async def _note(order_id: UUID, connection: AsyncConnection, count: int) -> None:
    await connection.execute(_COUNT, {"id": order_id, "count": count})
