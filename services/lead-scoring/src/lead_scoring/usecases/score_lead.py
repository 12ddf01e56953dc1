"""Score a lead by what marketing says of it: its card, a touchpoint, or both."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lead_scoring.domain.person import Person
from lead_scoring.domain.rating import Touchpoint
from lead_scoring.usecases.announce import announce
from lead_scoring.usecases.desk import Desk
from shared.contracts.event import Event


@dataclass(frozen=True, slots=True)
class ScoreLead:
    """What was heard: `version` is that of the card, where there is one."""

    lead_id: UUID
    event_id: UUID
    version: int
    person: Person | None = None
    touchpoint: Touchpoint | None = None


def score_lead(command: ScoreLead, desk: Desk, *, now: datetime) -> list[Event]:
    """Take on card and touchpoint, and say what that makes of the lead.

    Before the card is there, points are kept and nothing is said: topics have no common order.
    """
    lead = desk.take(command.lead_id, now=now)
    if command.person:
        lead.learn(person=command.person, version=command.version)
    if command.touchpoint:
        lead.touch(touchpoint=command.touchpoint, book=desk.scorecard.book)
        desk.keep(command.lead_id, command.touchpoint)
    return announce(lead, desk.scorecard, event_id=command.event_id, now=now)
