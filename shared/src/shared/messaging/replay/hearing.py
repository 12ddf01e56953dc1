"""What a heal does with the records: the live consumer's own way, and a rehearsal of it.

`Hearing` gives missing events their effect. `Rehearsal` judges the same events by the same rules
and writes nothing; it calls no handler, so it cannot foresee poison.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Generic
from uuid import UUID

from shared.messaging import positions, subjects
from shared.messaging.batch import Batch
from shared.messaging.heard import D
from shared.messaging.narrowing import Narrowing
from shared.messaging.plan import Effects
from shared.messaging.records import Delivery, Stranger
from shared.messaging.replay.orders import WrongOrder
from shared.messaging.stream import Streams

_MOST_REMEMBERED = 200_000


@dataclass(slots=True)
class Hearing(Generic[D]):
    """Sees batches through as the consumer does: locks, positions, use cases, parking, breaker."""

    narrowing: Narrowing[D]

    @property
    def effects(self) -> Effects:
        """What became of events."""
        return self.narrowing.batch.effects

    async def take(self, deliveries: Sequence[Delivery], strangers: Sequence[Stranger]) -> None:
        """Give what is missing its effect, or park its lead; errors as of the consumer."""
        await self.narrowing.take(deliveries, strangers)

    def turn(self) -> None:
        """Remember nothing: all is in the database."""


@dataclass(slots=True)
class Rehearsal(Generic[D]):
    """Judges batches by the positions in the database, moved in memory alone."""

    batch: Batch[D]
    streams: dict[UUID, Streams] = field(default_factory=dict[UUID, Streams])
    waiting: dict[tuple[str, UUID, int], Delivery] = field(
        default_factory=dict[tuple[str, UUID, int], Delivery]
    )

    @property
    def effects(self) -> Effects:
        """What would become of events."""
        return self.batch.effects

    async def take(self, deliveries: Sequence[Delivery], strangers: Sequence[Stranger]) -> None:
        """Judge a batch.

        Raises:
            WrongOrder: it would move more streams than can be remembered.
        """
        del strangers
        self.batch.refuse_unknown_versions(deliveries)
        light = [_without_data(delivery) for delivery in deliveries]
        names = {delivery.envelope.subject for delivery in deliveries}
        await self._look(names - self.streams.keys())
        plan = self.batch.plan(light, self.streams, self.waiting)
        self.effects.update(plan.effects(self.batch.listened))
        for name in names:
            self._forget(name)
        if len(self.streams) + len(self.waiting) > _MOST_REMEMBERED:
            raise WrongOrder("since", "too much is missing for a dry run: choose a shorter range")

    async def _look(self, names: set[UUID]) -> None:
        async with self.batch.engine.connect() as connection:
            known = await positions.load(connection, await subjects.look(connection, names))
            self.streams.update(known)
            waiting = await self.batch.gaps(connection, known)
            self.waiting |= {place: _without_data(each) for place, each in waiting.items()}

    def _forget(self, name: UUID) -> None:
        """Drop a subject of which nothing would be written: it is read again when it comes."""
        known = self.streams[name]
        if not known.moved and not known.parked and known.standing.parked_as is None:
            del self.streams[name]

    def turn(self) -> None:
        """Forget the leads of other partitions."""
        self.streams.clear()
        self.waiting.clear()


def _without_data(delivery: Delivery) -> Delivery:
    """Keep what judging needs: so much fits in memory."""
    return replace(delivery, envelope=replace(delivery.envelope, data=b""))
