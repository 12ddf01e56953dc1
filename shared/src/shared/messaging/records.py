"""Kafka records, taken apart: each with its envelope, or with the reason why it has none."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shared.contracts.envelope import Envelope, NoEnvelope, from_record
from shared.kafka.record import Record


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event as it came: from Kafka, or out of `parked_event` (then it has a `parked_id`)."""

    envelope: Envelope
    partition: int
    offset: int
    parked_id: int | None = None


@dataclass(frozen=True, slots=True)
class Stranger:
    """A record without a readable envelope: it belongs to no lead."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, str]
    error: str

    def row(self) -> dict[str, Any]:
        """Return its row of `unreadable_record`."""
        return {
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "key": self.key,
            "value": self.value,
            "headers": self.headers,
            "error": self.error,
        }


def take_apart(topic: str, records: Iterable[Record]) -> tuple[list[Delivery], list[Stranger]]:
    """Return the records of one partition as deliveries, and those that are not ours."""
    deliveries: list[Delivery] = []
    strangers: list[Stranger] = []
    for record in records:
        try:
            envelope = from_record(topic=topic, value=record.value, headers=record.headers)
            deliveries.append(Delivery(envelope, record.partition, record.offset))
        except NoEnvelope as error:
            strangers.append(_stranger(topic, record, str(error)))
    return deliveries, strangers


def _stranger(topic: str, record: Record, error: str) -> Stranger:
    headers = {
        name.replace("\0", "\\0"): base64.b64encode(raw).decode() for name, raw in record.headers
    }
    return Stranger(
        topic, record.partition, record.offset, record.key, record.value, headers, error
    )
