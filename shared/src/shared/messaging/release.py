"""Releasing and discarding what is parked of one lead, under its lock, in its order.

Release runs the events through the same handler as ever, each in a transaction of its own, and
stops at the first that fails. Discard moves the positions past them without any effect.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.messaging import parking, positions, subjects
from shared.messaging.batch import Batch
from shared.messaging.heard import D
from shared.messaging.records import Delivery
from shared.messaging.stream import Streams

_ALL = ("poison", "conflict", "behind", "busy", "gap")
_WITH_ALIASES = text("SELECT id FROM subject WHERE id = :subject OR alias_of = :subject")
_CLEAR = text("UPDATE subject SET parked_as = NULL WHERE id = :subject")
_SET_ERROR = text("UPDATE parked_event SET error = :error, traceback = :traceback WHERE id = :id")


class NothingParked(Exception):
    """The subject has no parked event."""


class StillFailing(Exception):
    """An event failed again: it and what waits behind it stay parked."""


@dataclass(slots=True)
class Release(Generic[D]):
    """Carries out orders about parked events of one service."""

    engine: AsyncEngine
    batch: Batch[D]

    async def release(self, subject: UUID) -> int:
        """Apply what is parked; return how many events had their effect.

        Raises:
            NothingParked: there is none.
            StillFailing: an event failed; those before it have had their effect.
        """
        count = 0
        while (delivery := await self._first(subject)) is not None:
            await self._apply(subject, delivery)
            count += 1
        if count == 0:
            raise NothingParked(str(subject))
        return count

    async def discard(self, subject: UUID) -> int:
        """Pass over what is parked; return how many events were given up.

        Raises:
            NothingParked: there is none.
        """
        async with self.engine.begin() as connection:
            names = await self._names(connection, subject)
            locked = await subjects.lock(connection, names)
            streams = await positions.load(connection, locked)
            parked = await parking.load(connection, names, _ALL)
            gone = [delivery for some in parked.values() for delivery in some]
            if not gone:
                raise NothingParked(str(subject))
            _pass_over(streams, gone)
            await positions.save(connection, streams.items())
            await parking.unpark(connection, gone)
            await connection.execute(_CLEAR, {"subject": subject})
        return len(gone)

    async def _first(self, subject: UUID) -> Delivery | None:
        """Return the next event that can be applied; clear the mark when there is none left."""
        async with self.engine.begin() as connection:
            names = await self._names(connection, subject)
            locked = await subjects.lock(connection, names)
            streams = await positions.load(connection, locked)
            parked = await parking.load(connection, names, _ALL)
            ready = _ready(streams, [d for some in parked.values() for d in some])
            if ready is None:
                await connection.execute(_CLEAR, {"subject": subject})
            return ready

    async def _apply(self, subject: UUID, delivery: Delivery) -> None:
        failures = await self.batch.run([delivery], released=True)
        if not failures:
            return
        async with self.engine.begin() as connection:
            values = {"error": failures[0].error, "traceback": failures[0].traceback}
            await connection.execute(_SET_ERROR, values | {"id": delivery.parked_id})
        raise StillFailing(f"{subject}: {failures[0].error}")

    async def _names(self, connection: AsyncConnection, subject: UUID) -> list[UUID]:
        rows = await connection.execute(_WITH_ALIASES, {"subject": subject})
        return [row.id for row in rows]


def _ready(streams: dict[UUID, Streams], parked: Sequence[Delivery]) -> Delivery | None:
    """Return the parked event that is next in its stream, the earliest parked first."""
    for delivery in sorted(parked, key=lambda each: each.parked_id or 0):
        envelope = delivery.envelope
        position = streams[envelope.subject].positions.get(envelope.topic)
        if position is None or envelope.sequence <= position.last_sequence + 1:
            return delivery
    return None


def _pass_over(streams: dict[UUID, Streams], gone: Sequence[Delivery]) -> None:
    for delivery in sorted(gone, key=lambda each: each.envelope.sequence):
        envelope = delivery.envelope
        position = streams[envelope.subject].positions.get(envelope.topic)
        if position is None or envelope.sequence > position.last_sequence:
            streams[envelope.subject].advance(envelope)
