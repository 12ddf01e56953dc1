"""Sends rows of the outbox, or of its archive, to Kafka: each in its envelope, under its subject.

Which rows, and what an ack or a failure means for them, is the business of the relay and of
`replay.republish`.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.contracts.envelope import Envelope
from shared.database.direct import Row
from shared.ids import read_id
from shared.kafka import client
from shared.kafka.errors import KafkaError
from shared.kafka.port import Ack, Sender
from shared.kafka.topics import physical
from shared.settings import KafkaSettings
from shared.telemetry import spans

Acked = dict[int, Ack]
"""By a row's id, where it came to lie."""

Sent = list[tuple[int, asyncio.Future[Ack]]]

_ENVELOPE_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Sending:
    """Hands over what one service said."""

    settings: KafkaSettings
    service: str

    async def hand_over(
        self, producer: Sender, rows: Sequence[Row]
    ) -> tuple[Sent, Exception | None]:
        """Give rows to the producer in their order, up to the first that it refuses."""
        sent: Sent = []
        try:
            await client.learn(producer, {physical(self.settings, row.topic) for row in rows})
            for row in rows:
                sent.append((row.id, await self._one(producer, row)))
        except KafkaError as refused:
            return sent, refused
        return sent, None

    async def _one(self, producer: Sender, row: Row) -> asyncio.Future[Ack]:
        return await producer.send(
            physical(self.settings, row.topic),
            key=str(row.subject).encode(),
            value=row.payload,
            headers=_envelope(row, self.service).headers(),
        )


async def answers(sent: Sent, acked: Acked) -> Exception | None:
    """Wait for the brokers; note in `acked` what they took, return the first error."""
    error: Exception | None = None
    found = await asyncio.gather(*(future for _, future in sent), return_exceptions=True)
    for (row_id, _), answer in zip(sent, found, strict=True):
        if isinstance(answer, Exception):
            error = error or answer
        elif not isinstance(answer, BaseException):
            acked[row_id] = answer
    return error


def flights(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Cut rows into what may be in flight together: nothing of it overtakes what is refused."""
    start = size = 0
    for end, row in enumerate(rows):
        bytes_of_row = len(row.payload) + _ENVELOPE_BYTES
        if end > start and size + bytes_of_row > client.FLIGHT_BYTES:
            yield rows[start:end]
            start, size = end, 0
        size += bytes_of_row
    yield rows[start:]


def _envelope(row: Row, service: str) -> Envelope:
    kind, _, version = row.type.rpartition(".v")
    headers: Mapping[str, str] = row.headers
    causation = headers.get("causation_id")
    return Envelope(
        event_id=row.event_id,
        topic=row.topic,
        subject=row.subject,
        sequence=row.sequence,
        kind=kind,
        version=int(version),
        said_at=row.created_at,
        source=service,
        correlation_id=read_id(headers["correlation_id"]),
        causation_id=read_id(causation) if causation else None,
        traceparent=spans.part(headers.get("traceparent"), kind, subject=row.subject),
        data=row.payload,
        blank=headers.get("blank") or (None if row.payload else "erased"),
    )
