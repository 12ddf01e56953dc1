"""Sees a batch through: together if it can be, by halves if it must, one by one at the end.

So one event that fails costs one lead. What fails three times, each try counted before it is made,
parks its lead; what only ever times out waits as `busy`; infrastructure is nobody's fault. Leads
that somebody holds for long make the others wait for them once, not lead by lead or batch by batch.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from shared import crash_points
from shared.database.errors import Kind, kind_of
from shared.loggers import get_logger
from shared.messaging import attempts, backoff, parking, positions, subjects
from shared.messaging.batch import Batch, Failure
from shared.messaging.breaker import Breaker, BreakerOpen
from shared.messaging.heard import D
from shared.messaging.parking import Parked
from shared.messaging.records import Delivery, Stranger

log = get_logger(__name__)

_CONTENTION_TRIES = 3
_CAUTIOUS_SECONDS = 10.0
_MOST_SUSPECTS = 20


@dataclass(slots=True)
class Narrowing(Generic[D]):
    """Runs batches of one consumer until nothing of them is left to do.

    `held`: the leads that somebody held for too long when they were last tried.
    For a while after its making it is cautious, as an event may have ended the process before.
    """

    engine: AsyncEngine
    batch: Batch[D]
    breaker: Breaker
    blameless: set[UUID] = field(default_factory=set[UUID])
    applied: set[UUID] = field(default_factory=set[UUID])
    held: set[UUID] = field(default_factory=set[UUID])
    cautious_until: float = field(default_factory=lambda: time.monotonic() + _CAUTIOUS_SECONDS)

    async def take(self, deliveries: Sequence[Delivery], strangers: Sequence[Stranger]) -> None:
        """See through what was read together; what belongs to no lead is kept aside.

        Raises:
            BreakerOpen: too much is parked.
            UnknownVersion: newer code wrote one of the events.
            Exception: of infrastructure; what had its effect is known by its position.
        """
        cautious = time.monotonic() < self.cautious_until
        await self.breaker.check(self.engine)
        self.batch.refuse_unknown_versions(deliveries)
        await parking.keep_strangers(self.engine, strangers)
        await self.see_through(deliveries, cautious=cautious)

    async def see_through(self, deliveries: Sequence[Delivery], *, cautious: bool) -> None:
        """Give every delivery its effect, or park its lead.

        `cautious`: perhaps an event of this batch ended the process before. Then tries are counted
        beforehand; what was counted once goes with few others, and after that alone. So a death
        costs the neighbours of its cause little time, and the third one tells what that is.

        Raises:
            BreakerOpen: too much is parked.
            Exception: of infrastructure; what had its effect is known by its position.
        """
        self.applied.clear()
        deliveries = await self._of_free_leads(deliveries)
        tried = await self._tried_before(deliveries) if cautious else {}
        once, often = _suspects(deliveries, tried)
        fresh = [d for d in deliveries if d.envelope.subject not in once | often]
        failed = often | await self._together(fresh, counted=cautious)
        failed |= await self._some_by_some(deliveries, once, tried)
        deliveries = await self._of_free_leads(deliveries)
        # In the order in which they came: what went well between two that fail is between them.
        alone: set[UUID] = set()
        for delivery in deliveries:
            subject = delivery.envelope.subject
            if subject not in failed:
                self._count(delivery)
            elif subject not in alone:
                alone.add(subject)
                await self._alone([d for d in deliveries if d.envelope.subject == subject])

    def _count(self, delivery: Delivery) -> None:
        """Tell the breaker of an event that a use case took; what is passed over says nothing."""
        self.breaker.went_well(int(delivery.envelope.event_id in self.applied))

    async def _run(self, deliveries: Sequence[Delivery], *, counted: bool) -> list[Failure]:
        failures = await self.batch.run(deliveries, counted=counted)
        self.applied |= self.batch.applied
        return failures

    async def _of_free_leads(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        """Set aside, without waiting for it again, what is about leads that are still held."""
        if not self.held:
            return deliveries
        self.held = await self._held(self.held)
        await self._set_aside([d for d in deliveries if d.envelope.subject in self.held])
        return [d for d in deliveries if d.envelope.subject not in self.held]

    async def _held(self, names: Iterable[UUID]) -> set[UUID]:
        async with self.engine.begin() as connection:
            return await subjects.held(connection, names)

    async def _some_by_some(
        self, deliveries: Sequence[Delivery], suspects: set[UUID], tried: Mapping[UUID, int]
    ) -> set[UUID]:
        """Run leads of whom an event was tried, few together; return those that must go alone."""
        names, failed = sorted(suspects), set[UUID]()
        for start in range(0, len(names), _MOST_SUSPECTS):
            few = set(names[start : start + _MOST_SUSPECTS])
            some = [d for d in deliveries if d.envelope.subject in few]
            await attempts.count(self.engine, tried.keys() & _events(some))
            failed |= await self._together(some, counted=True)
        return failed

    async def _tried_before(self, deliveries: Sequence[Delivery]) -> dict[UUID, int]:
        """Return how often events were tried that were; count a try of the others."""
        events = _events(deliveries)
        await self._forgive(events)
        tried = await attempts.known(self.engine, events)
        await attempts.count(self.engine, events - tried.keys())
        return tried

    async def _forgive(self, events: set[UUID]) -> None:
        """Forget the tries of events that infrastructure ended."""
        if forgiven := self.blameless & events:
            async with self.engine.begin() as connection:
                await attempts.forget(connection, forgiven)
            self.blameless -= forgiven

    async def _together(self, deliveries: Sequence[Delivery], *, counted: bool) -> set[UUID]:
        """Run a batch; return the subjects that must go alone."""
        if not deliveries:
            return set()
        for tries in range(_CONTENTION_TRIES):
            try:
                failures = await self._run(deliveries, counted=counted)
            except Exception as error:
                kind = kind_of(error)
                if kind is Kind.INFRASTRUCTURE:
                    self.blameless |= _events(deliveries) if counted else set()
                    raise
                log.warning("batch_failed", error=type(error).__name__, events=len(deliveries))
                if kind is not Kind.CONTENTION:
                    break
                if held := await self._held(d.envelope.subject for d in deliveries):
                    self.held |= held
                    free = [d for d in deliveries if d.envelope.subject not in held]
                    return held | await self._together(free, counted=counted)
                await backoff.sleep(backoff.delay(tries))
            else:
                return {name for failure in failures for name in failure.subjects}
        return await self._halves(deliveries, counted=counted)

    async def _halves(self, deliveries: Sequence[Delivery], *, counted: bool) -> set[UUID]:
        names = sorted({delivery.envelope.subject for delivery in deliveries})
        if len(names) == 1:
            return set(names)
        first = set(names[: len(names) // 2])
        failed: set[UUID] = set()
        for half in (first, set(names) - first):
            some = [d for d in deliveries if d.envelope.subject in half]
            failed |= await self._together(some, counted=counted)
        return failed

    async def _alone(self, deliveries: Sequence[Delivery]) -> None:
        """Run one lead's events one by one; park it at the first that fails for good.

        What failed may have been parked before and only follow the event that was tried: then that
        one waits behind it, like the rest.
        """
        for position, delivery in enumerate(deliveries):
            failure = await self._one(delivery)
            if delivery.envelope.subject in self.held:
                await self._set_aside(deliveries[position:])
                return
            if failure is not None:
                await self._park(failure, delivery)
                rest = deliveries[position + (failure.delivery is delivery) :]
                if rest:
                    await self.batch.run(rest)
                return
            self._count(delivery)

    async def _one(self, delivery: Delivery) -> Failure | None:
        """Try an event until it has its effect, or until it failed often enough."""
        event_id = delivery.envelope.event_id
        await self._forgive({event_id})
        failure = Failure(delivery, attempts.ENDED, "")
        tries = 0
        while tries < attempts.MOST:
            tries = (await attempts.count(self.engine, [event_id]))[event_id]
            if tries > attempts.MOST:
                break
            crash_points.reach("consumer.counted")
            outcome = await self._try(delivery)
            if outcome is None:
                return None
            failure = outcome
        return failure

    async def _try(self, delivery: Delivery) -> Failure | None:
        for tries in range(_CONTENTION_TRIES):
            try:
                failures = await self._run([delivery], counted=True)
            except Exception as error:
                kind = kind_of(error)
                if kind is Kind.INFRASTRUCTURE:
                    self.blameless.add(delivery.envelope.event_id)
                    raise
                if kind is not Kind.CONTENTION:
                    return Failure.of(delivery, error)
                if held := await self._held([delivery.envelope.subject]):
                    self.held |= held
                    return None
                await backoff.sleep(backoff.delay(tries))
            else:
                return failures[0] if failures else None
        await self._set_aside([delivery])
        return None

    async def _set_aside(self, deliveries: Sequence[Delivery]) -> None:
        """Let leads wait whose lock or rows cannot be had now; what follows waits as a gap."""
        if not deliveries:
            return
        for subject in {delivery.envelope.subject for delivery in deliveries}:
            log.warning("lead_busy", subject=str(subject))
        async with self.engine.begin() as connection:
            waiting = await positions.unheard(connection, deliveries)
            await parking.park(connection, [Parked(each, "busy") for each in waiting])
            await attempts.forget(connection, [each.envelope.event_id for each in deliveries])
        for delivery in waiting:
            self.batch.count(delivery.envelope.topic, "parked")

    async def _park(self, failure: Failure, tried: Delivery) -> None:
        envelope = failure.delivery.envelope
        self.blameless.add(tried.envelope.event_id)  # what undoes this is not its fault
        async with self.engine.begin() as connection:
            locked = await subjects.lock(connection, [envelope.subject])
            await attempts.forget(connection, [envelope.event_id, tried.envelope.event_id])
            may = await self.breaker.went_wrong(connection, f"{envelope.kind}: {failure.name}")
            if may:
                poison = Parked(failure.delivery, "poison", failure.error, failure.traceback)
                await parking.unpark(connection, [failure.delivery])
                await parking.park(connection, [poison])
                await parking.mark(connection, locked[envelope.subject].id, "poison")
            crash_points.reach("consumer.before_park")
        self.blameless.discard(tried.envelope.event_id)
        if may:
            self.batch.count(envelope.topic, "parked")
            log.error("lead_parked", subject=str(envelope.subject), event_id=str(envelope.event_id))
        if self.breaker.opened:
            log.error("breaker_open", reason=failure.name, version=self.breaker.version)
            raise BreakerOpen(failure.name)


def _events(deliveries: Iterable[Delivery]) -> set[UUID]:
    return {delivery.envelope.event_id for delivery in deliveries}


def _suspects(
    deliveries: Sequence[Delivery], tried: Mapping[UUID, int]
) -> tuple[set[UUID], set[UUID]]:
    """Return the leads with an event that was tried once, and those with one tried more often."""
    most: dict[UUID, int] = {}
    for envelope in (delivery.envelope for delivery in deliveries):
        tries = tried.get(envelope.event_id, 0)
        most[envelope.subject] = max(tries, most.get(envelope.subject, 0))
    once = {subject for subject, tries in most.items() if tries == 1}
    return once, {subject for subject, tries in most.items() if tries > 1}
