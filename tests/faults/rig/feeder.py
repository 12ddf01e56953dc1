"""Says events to a hearer as their publisher does, and keeps count of what was said.

In the place of a service that a scenario does without; it can also misbehave: twice, out of order,
with another id, with a gap.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from shared.clock import utc_now
from shared.contracts.catalogue import TOPICS, topic_of
from shared.contracts.envelope import Envelope
from shared.contracts.event import Event
from shared.contracts.lead import LeadCaptured, LeadCard, LeadUpdated, Touchpoint
from shared.ids import LeadId, new_id
from shared.kafka import client
from shared.kafka.port import Sender
from shared.kafka.topics import physical
from shared.settings import KafkaSettings

_PUBLISHER = {topic.name: topic.publisher for topic in TOPICS}


@dataclass
class Feeder:
    """A publisher's voice; `said` counts the events of each stream, `touched` of each lead."""

    settings: KafkaSettings
    sender: Sender
    said: Counter[tuple[str, UUID]] = field(default_factory=Counter)

    def next(self, event: Event, **changes: Any) -> Envelope:
        """Return an event with the next number of its stream, or with what is given instead."""
        topic = topic_of(type(event))
        self.said[topic, event.subject] += 1
        told: dict[str, Any] = {
            "event_id": new_id(), "topic": topic, "subject": event.subject,
            "sequence": self.said[topic, event.subject], "kind": event.kind,
            "version": event.version, "said_at": utc_now(), "source": _PUBLISHER[topic],
            "correlation_id": new_id(), "causation_id": None, "traceparent": None,
            "data": event.to_wire(),
        }  # fmt: skip
        return Envelope(**told | changes)

    async def send(self, envelopes: Iterable[Envelope]) -> None:
        """Send in this order and wait until Kafka has them."""
        acks = [
            await self.sender.send(
                physical(self.settings, envelope.topic),
                envelope.data,
                key=str(envelope.subject).encode(),
                headers=envelope.headers(),
            )
            for envelope in envelopes
        ]
        for ack in acks:
            await ack

    async def say(self, *events: Event) -> list[Envelope]:
        """Say events, each the next of its stream."""
        envelopes = [self.next(event) for event in events]
        await self.send(envelopes)
        return envelopes


@asynccontextmanager
async def feeding(settings: KafkaSettings) -> AsyncGenerator[Feeder]:
    """Give a feeder for the block."""
    sender = client.producer(settings)
    await sender.start()
    try:
        yield Feeder(settings, sender)
    finally:
        await client.stop(sender)


def touchpoint() -> Touchpoint:
    """Return a form that somebody filled in now."""
    return Touchpoint(
        touchpoint_id=new_id(), kind="form", channel="email", source_id=new_id(),
        source_name="a form", occurred_at=utc_now(), received_at=utc_now(),
    )  # fmt: skip


def captured(lead_id: UUID, **card: Any) -> LeadCaptured:
    """Return the first event of a lead."""
    told = LeadCard(**{"email": f"{lead_id}@example.com", "company": "Example"} | card)
    return LeadCaptured(lead_id=LeadId(lead_id), lead_version=1, lead=told, touchpoint=touchpoint())


def updated(lead_id: UUID, version: int, **card: Any) -> LeadUpdated:
    """Return a later event of a lead, with one more touchpoint."""
    told = LeadCard(**{"email": f"{lead_id}@example.com", "company": "Example"} | card)
    return LeadUpdated(
        lead_id=LeadId(lead_id), lead_version=version, lead=told, touchpoint=touchpoint()
    )
