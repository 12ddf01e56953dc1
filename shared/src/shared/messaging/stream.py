"""The order of one subject's events on one topic: which is next, which is old, which is early.

Pure rules over the positions that the consumer loaded under the subject's lock. A position is the
whole memory of what was heard: the last number, and the id that it had.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from uuid import UUID

from shared.contracts.envelope import Envelope
from shared.ids import minted_at
from shared.messaging.subjects import Subject


class Verdict(Enum):
    """What is to be done with an event."""

    APPLY = "it is the next one"
    ADVANCE = "its lead is erased, or it is blank: the position moves, nothing else"
    DUPLICATE = "it was heard before, or is parked already"
    CONFLICT = "the last number came again with another id: somebody's past was rewritten"
    BEHIND = "its lead is parked: it waits behind"
    GAP = "one before it is missing: it waits for that"


@dataclass(slots=True)
class Position:
    """The last event that was heard of a subject on a topic."""

    last_sequence: int
    last_event_id: UUID


@dataclass(slots=True)
class Standing:
    """Whether a whole lead is parked, and why, or erased: one for it and all its aliases."""

    parked_as: str | None = None
    erased: bool = False


@dataclass(slots=True)
class Streams:
    """What is known of the streams of one name, kept true while a batch goes by.

    `subject` is whose they are. `parked` holds (topic, sequence) of the events that are parked.
    `said`: how often this service said what type of event for which cause, as far as it was taken
    back after a restore; the cause may be heard again.
    """

    subject: Subject
    positions: dict[str, Position] = field(default_factory=dict[str, Position])
    parked: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    standing: Standing = field(default_factory=Standing)
    moved: set[str] = field(default_factory=set[str])
    said: dict[tuple[str, UUID], int] = field(default_factory=dict[tuple[str, UUID], int])

    def judge(self, envelope: Envelope, *, started_at: datetime) -> Verdict:
        """Say what is to be done with an event. `started_at`: the service's first hearing."""
        position = self.positions.get(envelope.topic)
        is_old = position is not None and envelope.sequence <= position.last_sequence
        if self.standing.erased:
            return Verdict.DUPLICATE if is_old else Verdict.ADVANCE
        if is_old:
            return Verdict.CONFLICT if self.contradicts(envelope) else Verdict.DUPLICATE
        if (envelope.topic, envelope.sequence) in self.parked:
            return Verdict.DUPLICATE
        if self.standing.parked_as is not None:
            return Verdict.BEHIND
        if self.is_early(envelope, started_at=started_at):
            return Verdict.GAP
        return Verdict.ADVANCE if envelope.blank else Verdict.APPLY

    def is_early(self, envelope: Envelope, *, started_at: datetime) -> bool:
        """Tell whether an event before this one is missing."""
        position = self.positions.get(envelope.topic)
        return envelope.sequence > self._next(envelope, position, started_at)

    def contradicts(self, envelope: Envelope) -> bool:
        """Tell whether the last number that was heard had another id than this event has."""
        last = self.positions.get(envelope.topic)
        if last is None or last.last_sequence != envelope.sequence or envelope.blank:
            return False
        return last.last_event_id != envelope.event_id

    def advance(self, envelope: Envelope) -> None:
        """Move the position to an event that was applied or passed over."""
        self.positions[envelope.topic] = Position(envelope.sequence, envelope.event_id)
        self.parked.discard((envelope.topic, envelope.sequence))
        self.moved.add(envelope.topic)

    def remember(self, *, wire_type: str, cause: UUID) -> None:
        """Note that an event was said for this cause, by the database that was before this one."""
        self.said[wire_type, cause] = self.said.get((wire_type, cause), 0) + 1

    def was_said(self, *, wire_type: str, cause: UUID) -> bool:
        """Tell, once for each event, whether what is about to be said was said for this cause."""
        left = self.said.get((wire_type, cause), 0)
        if left:
            self.said[wire_type, cause] = left - 1
        return left > 0

    def _next(self, envelope: Envelope, last: Position | None, started_at: datetime) -> int:
        """A subject that is older than our first hearing may begin at any number."""
        if last is not None:
            return last.last_sequence + 1
        return 1 if _is_younger(envelope.subject, started_at) else envelope.sequence


def _is_younger(subject: UUID, moment: datetime) -> bool:
    try:
        return minted_at(subject) >= moment
    except ValueError:
        return False
