"""Says events to a hearer as their publisher does, and keeps count of what was said.

In the place of a service that a scenario does without; it can also misbehave: twice, out of order,
with another id, with a gap.
"""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.stack.voices import Voices

from shared.clock import utc_now
from shared.contracts.envelope import Envelope
from shared.contracts.event import Event
from shared.contracts.lead import LeadCaptured, LeadCard, LeadUpdated, Touchpoint
from shared.ids import LeadId, new_id
from shared.kafka import client
from shared.kafka.port import Sender
from shared.kafka.topics import physical
from shared.settings import KafkaSettings


@dataclass
class Feeder(Voices):
    """The publishers' voices on Kafka."""

    settings: KafkaSettings
    sender: Sender

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
