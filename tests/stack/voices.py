"""What other services say, numbered as their streams are, as it arrives at the one under test."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.clock import utc_now
from shared.contracts.catalogue import TOPICS, topic_of
from shared.contracts.envelope import Envelope
from shared.contracts.event import Event
from shared.ids import new_id
from shared.messaging.batch import Batch
from shared.messaging.records import Delivery

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
SINCE_LONG_AGO = {topic.name: LONG_AGO for topic in TOPICS}
_PUBLISHER = {topic.name: topic.publisher for topic in TOPICS}
_offsets = itertools.count()


def envelope(event: Event, sequence: int, **changes: Any) -> Envelope:
    """Return an event as its publisher says it now, or with what is given instead."""
    topic = topic_of(type(event))
    told: dict[str, Any] = {
        "event_id": new_id(), "topic": topic, "subject": event.subject, "sequence": sequence,
        "kind": event.kind, "version": event.version, "said_at": utc_now(),
        "source": _PUBLISHER[topic], "correlation_id": new_id(), "causation_id": None,
        "traceparent": None, "data": event.to_wire(),
    }  # fmt: skip
    return Envelope(**told | changes)


@dataclass
class Voices:
    """The publishers of all topics; `said` counts the events of each stream."""

    said: Counter[tuple[str, UUID]] = field(default_factory=Counter, kw_only=True)

    def next(self, event: Event, **changes: Any) -> Envelope:
        """Return an event with the next number of its stream, or with what is given instead."""
        stream = topic_of(type(event)), event.subject
        self.said[stream] += 1
        return envelope(event, **{"sequence": self.said[stream]} | changes)


@dataclass
class Others(Voices):
    """The other services as a hearer meets them in its batches, without Kafka."""

    batch: Batch[Any]

    def deliver(self, event: Event, **changes: Any) -> Delivery:
        """Return an event as it would come from Kafka, the next of its stream."""
        return Delivery(self.next(event, **changes), partition=0, offset=next(_offsets))

    async def say(self, *events: Event) -> None:
        """Let the service hear events, together in one batch."""
        await self.repeat([self.deliver(event) for event in events])

    async def repeat(self, deliveries: Sequence[Delivery]) -> None:
        """Let the service hear what it may have heard before."""
        assert await self.batch.run(deliveries) == []
