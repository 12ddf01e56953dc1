"""What stands around an event on the wire: CloudEvents 1.0, Kafka's binary mode.

The value is the event's JSON, untouched; the attributes are `ce_` headers, so that a record whose
body cannot be read still has an id, a subject and a sequence.
Source: CloudEvents, "Kafka Protocol Binding", version 1.0.2.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.ids import minted_at, read_id

Headers = list[tuple[str, bytes]]
_HIGHEST_SEQUENCE = 2**63 - 1
_TIMED = 7  # the version of a UUID that tells when it was made (RFC 9562)


class NoEnvelope(Exception):
    """A record that is not one of ours: a header is missing or cannot be read."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event on its way: what it is, whose it is, and where in that order it stands.

    `sequence` counts 1, 2, 3 … per topic and subject. `data` is empty for an event of an erased
    lead (`erased`) and for one that was given up (`discarded`): hearers only advance.
    """

    event_id: UUID
    topic: str
    subject: UUID
    sequence: int
    kind: str
    version: int
    said_at: datetime
    source: str
    correlation_id: UUID
    causation_id: UUID | None
    traceparent: str | None
    data: bytes
    blank: str | None = None

    @property
    def began_at(self) -> datetime | None:
        """Return when the submission or request came that this event goes back to, if it tells."""
        return minted_at(self.correlation_id) if self.correlation_id.version == _TIMED else None

    def headers(self) -> Headers:
        """Return the attributes as Kafka headers."""
        texts = {
            "ce_specversion": "1.0",
            "ce_id": str(self.event_id),
            "ce_source": self.source,
            "ce_type": f"{self.kind}.v{self.version}",
            "ce_subject": str(self.subject),
            "ce_time": self.said_at.isoformat(),
            "ce_partitionkey": str(self.subject),
            "ce_sequence": str(self.sequence),
            "ce_dataschema": dataschema(self.kind, self.version),
            "ce_correlationid": str(self.correlation_id),
            "content-type": "application/json",
        }
        optional = {
            "ce_causationid": str(self.causation_id) if self.causation_id else None,
            "traceparent": self.traceparent,
            "handoff_blank": self.blank,
        }
        texts.update({name: text for name, text in optional.items() if text})
        return [(name, text.encode()) for name, text in texts.items()]


def dataschema(kind: str, version: int) -> str:
    """Return the id of an event's JSON Schema: CloudEvents asks for an absolute URI."""
    return f"urn:handoff:{kind}:{version}"


def from_record(
    *, topic: str, value: bytes | None, headers: Iterable[tuple[str, bytes]]
) -> Envelope:
    """Read the envelope of a Kafka record; of a header that stands twice the first one counts.

    Raises:
        NoEnvelope: a required header is missing or malformed.
    """
    raw: dict[str, bytes] = {}
    for name, each in headers:
        raw.setdefault(name, each)
    causation = raw.get("ce_causationid")
    traceparent = raw.get("traceparent")
    blank = raw.get("handoff_blank")
    try:
        kind, _, version = _text(raw["ce_type"]).rpartition(".v")
        return Envelope(
            event_id=_id(raw["ce_id"]),
            topic=topic,
            subject=_id(raw["ce_subject"]),
            sequence=_number(_text(raw["ce_sequence"])),
            kind=kind,
            version=int(version),
            said_at=datetime.fromisoformat(_text(raw["ce_time"])),
            source=_text(raw["ce_source"]),
            correlation_id=_id(raw["ce_correlationid"]),
            causation_id=_id(causation) if causation else None,
            traceparent=_text(traceparent) if traceparent else None,
            data=value or b"",
            blank=_text(blank) if blank else None,
        )
    except (KeyError, ValueError) as error:
        raise NoEnvelope(f"no envelope: {error}") from None


def _id(header: bytes) -> UUID:
    return read_id(header.decode())


def _text(header: bytes) -> str:
    """Postgres has no NUL in a text: with one, the event could not even be parked."""
    if b"\0" in header:
        raise ValueError("a header with NUL")
    return header.decode()


def _number(header: str) -> int:
    number = int(header)
    if not 1 <= number <= _HIGHEST_SEQUENCE:
        raise ValueError("a sequence out of range")
    return number
