"""Releasing and discarding what is parked of one lead, under all its names, in its order.

Release runs the events through the same handler as ever, each in a transaction of its own, and
stops at the first that fails. Discard moves the positions past them without any effect.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.database.errors import Kind, kind_of
from shared.messaging import attempts, parking, positions, subjects
from shared.messaging.batch import Batch, Failure
from shared.messaging.heard import D
from shared.messaging.parking import Parked
from shared.messaging.records import Delivery
from shared.messaging.stream import Streams
from shared.messaging.subjects import Subject

_ALL = ("poison", "conflict", "behind", "busy", "gap")
_CLEAR = text("UPDATE subject SET parked_as = NULL WHERE id = ANY(:names)")
# What was busy and turns out to be early waits as every early event does, and is not tried again.
_EARLY = text("""
    UPDATE parked_event SET reason = 'gap' WHERE subject = ANY(:names) AND reason = 'busy'
""")


class NothingParked(Exception):
    """The subject has no parked event."""


class StillFailing(Exception):
    """An event cannot take effect, as the text says: it and what is behind it stay parked.

    `count`: how many events before it had their effect.
    """

    def __init__(self, sentence: str) -> None:
        """Say what stands in the way; of the person nothing is quoted."""
        super().__init__(sentence)
        self.count = 0


Note = Callable[[AsyncConnection, int], Awaitable[None]]
"""Notes how many events were dealt with, in the transaction that did so."""


@dataclass(slots=True)
class Release(Generic[D]):
    """Carries out orders about parked events of one service.

    `blameless`: events of which a try was counted that infrastructure ended.
    """

    engine: AsyncEngine
    batch: Batch[D]
    blameless: set[UUID] = field(default_factory=set[UUID])

    async def release(self, subject: UUID) -> int:
        """Apply what is parked; return how many events had their effect.

        Raises:
            NothingParked: there is none.
            StillFailing: an event failed, or waits for one that is missing.
            Exception: of contention or infrastructure (`database.errors`): ask again.
        """
        count = 0
        try:
            while (delivery := await self._first(subject)) is not None:
                await self._apply(delivery)
                count += 1
            await self._say_what_is_missing(subject)
        except StillFailing as error:
            error.count = count
            raise
        if count == 0:
            raise NothingParked(str(subject))
        return count

    async def _say_what_is_missing(self, subject: UUID) -> None:
        """Raise StillFailing where all that is parked waits for an event that never came."""
        async with self.engine.connect() as connection:
            names = await subjects.names_of(connection, subject)
            parked = await parking.load(connection, names, _ALL)
        waiting = [delivery.envelope for some in parked.values() for delivery in some]
        if waiting:
            first = min(waiting, key=lambda envelope: (envelope.topic, envelope.sequence))
            raise StillFailing(
                f"{first.topic} #{first.sequence} waits for one before it that is missing: "
                "replay the topic, or discard what waits."
            )

    async def discard(self, subject: UUID, note: Note) -> None:
        """Pass over what is parked; how many events were given up is noted with it.

        Of a conflict only the event that came second is given up; what waits behind it is sound.

        Raises:
            NothingParked: there is none.
            StillFailing: what waited behind a conflict cannot take effect.
        """
        async with self.engine.begin() as connection:
            locked = await self._lock(connection, subject)
            conflicts = await _drop_conflicts(connection, locked)
            count = conflicts or await parking.pass_over(connection, list(locked))
            if not count:
                raise NothingParked(str(subject))
            await connection.execute(_CLEAR, {"names": list(locked)})
            await note(connection, count)
        if conflicts:
            with suppress(NothingParked):
                await self.release(subject)

    async def _first(self, subject: UUID) -> Delivery | None:
        """Return the next event that can be applied; clear the mark when there is none left."""
        async with self.engine.begin() as connection:
            locked = await self._lock(connection, subject)
            streams = await positions.load(connection, locked)
            parked = await parking.load(connection, list(locked), _ALL)
            ready = self._ready(streams, [d for some in parked.values() for d in some])
            if ready is None:
                await connection.execute(_CLEAR, {"names": list(locked)})
                await connection.execute(_EARLY, {"names": list(locked)})
            elif streams[ready.envelope.subject].contradicts(ready.envelope):
                raise StillFailing("Its number was heard with another id: discard it.")
            return ready

    async def _apply(self, delivery: Delivery) -> None:
        failure = await self._try(delivery)
        if failure is None:
            return
        envelope = delivery.envelope
        async with self.engine.begin() as connection:
            locked = await subjects.lock(connection, [envelope.subject])
            await attempts.forget(connection, [envelope.event_id])
            poison = Parked(delivery, "poison", failure.error, failure.traceback)
            await parking.fail_again(connection, poison)
            await parking.mark(connection, locked[envelope.subject].id, "poison")
        raise StillFailing(f"An event failed again, and the rest waits behind it: {failure.name}")

    async def _try(self, delivery: Delivery) -> Failure | None:
        """Try an event, counted beforehand: it may end the process, and the next one with it."""
        if not await self._may_try(delivery.envelope.event_id):
            return Failure(delivery, attempts.ENDED, "")
        try:
            failures = await self.batch.run([delivery], counted=True, released=True)
        except Exception as error:
            kind = kind_of(error)
            if kind is Kind.CONTENTION:
                async with self.engine.begin() as connection:
                    await attempts.forget(connection, [delivery.envelope.event_id])
                raise
            if kind is Kind.INFRASTRUCTURE:
                self.blameless.add(delivery.envelope.event_id)
                raise
            return Failure.of(delivery, error)
        return failures[0] if failures else None

    async def _may_try(self, event_id: UUID) -> bool:
        if event_id in self.blameless:
            self.blameless.discard(event_id)
            return True
        return (await attempts.count(self.engine, [event_id]))[event_id] <= attempts.MOST

    async def _lock(self, connection: AsyncConnection, subject: UUID) -> dict[UUID, Subject]:
        """Lock the lead under all its names.

        Raises:
            NothingParked: nobody has this name, and nothing waits under it.
        """
        locked = await subjects.lock_known(connection, subject)
        if locked:
            return locked
        # An event waits of a lead that somebody was just making, and then did not.
        if await parking.load(connection, [subject], _ALL):
            return await subjects.lock(connection, [subject])
        raise NothingParked(str(subject))

    def _ready(self, streams: dict[UUID, Streams], parked: Sequence[Delivery]) -> Delivery | None:
        """Return the parked event that is next in its stream, the earliest parked first."""
        for delivery in sorted(parked, key=lambda each: each.parked_id or 0):
            envelope = delivery.envelope
            started_at = self.batch.started_at[envelope.topic]
            if not streams[envelope.subject].is_early(envelope, started_at=started_at):
                return delivery
        return None


async def _drop_conflicts(connection: AsyncConnection, locked: Mapping[UUID, Subject]) -> int:
    """Drop the conflicts of a lead that is parked for them; return how many."""
    if all(subject.parked_as != "conflict" for subject in locked.values()):
        return 0
    return await parking.drop_conflicts(connection, list(locked))
