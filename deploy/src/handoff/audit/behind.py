"""Says why a hearer is not where the publisher is with a subject's stream. Pure rules."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.ids import minted_at


class State(StrEnum):
    """Why a hearer's last number is not the publisher's."""

    OUTBOX = "outbox"
    IN_FLIGHT = "in_flight"
    WAITING = "waiting"
    PARKED = "parked"
    MISSING = "missing"
    AHEAD = "ahead"


SETTLES = frozenset({State.OUTBOX, State.IN_FLIGHT})
"""What may be over in a moment, so it is looked at again; the others are certain."""
KEPT = frozenset({State.PARKED, State.WAITING})
"""What is not lost, and counted elsewhere: a person is asked to look, or it goes on by itself."""
LOST = frozenset({State.MISSING, State.AHEAD})
"""What never comes by itself."""
_RELEASES_ITSELF = "busy"


@dataclass(frozen=True, slots=True)
class Said:
    """A stream as its publisher has it."""

    last: int
    first_waiting: int | None = None
    held: str | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """The same stream as a hearer has it; `first_parked` is None while nothing is parked."""

    last: int = 0
    first_parked: int | None = None
    reason: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """Where an event came to lie in Kafka, as far as the publisher's archive knows."""

    at: datetime
    partition: int | None
    offset: int | None


@dataclass(frozen=True, slots=True)
class Stream:
    """All that is known of one subject's stream to one hearer.

    Attributes:
        started_at: when the hearer began to hear the topic.
        missing: the first event that was not heard; None where the archive does not have it.
        latest: the last event that was said, likewise.
        mark: the hearer's committed offset in that event's partition, read before the positions;
            None where Kafka did not tell.
    """

    subject: UUID
    said: Said
    heard: Heard
    started_at: datetime | None = None
    missing: Sent | None = None
    latest: Sent | None = None
    mark: int | None = None
    kafka_answered: bool = True


def state_of(stream: Stream) -> State | None:
    """Return why the hearer is not level; None if it is, or does not have to be."""
    said, heard = stream.said, stream.heard
    if heard.last >= said.last:
        return State.AHEAD if heard.last > said.last else None
    following = heard.last + 1
    if heard.first_parked == following:
        return State.WAITING if heard.reason == _RELEASES_ITSELF else State.PARKED
    if said.first_waiting is not None and said.first_waiting <= following:
        return State.OUTBOX
    if _may_still_come(stream):
        return State.IN_FLIGHT
    return None if _began_later(stream) else State.MISSING


def _may_still_come(stream: Stream) -> bool:
    """Tell whether the hearer has yet to read the place where the event is."""
    sent = stream.missing
    if sent is None:
        return False
    if not stream.kafka_answered or sent.offset is None:
        return True
    return stream.mark is None or stream.mark <= sent.offset


def _began_later(stream: Stream) -> bool:
    """Tell whether all was said before the hearer began: its first number is yet to be seen."""
    if stream.heard.last or stream.heard.first_parked or stream.started_at is None:
        return False
    if minted_at(stream.subject) >= stream.started_at:
        return False
    return stream.latest is None or stream.latest.at < stream.started_at
