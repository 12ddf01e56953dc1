"""Keep that a deal gave way: its lead merged, and another deal of the person stays open."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lead_scoring.usecases.announce import announce
from lead_scoring.usecases.desk import Desk
from shared.contracts.event import Event


@dataclass(frozen=True, slots=True)
class NoteMergedDeal:
    """A deal of the lead ended in favour of another."""

    lead_id: UUID
    deal_id: UUID
    event_id: UUID


def note_merged_deal(command: NoteMergedDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """Expect no end of this deal any more; the other's may have been heard already."""
    lead = desk.take(command.lead_id, now=now)
    lead.gave_way(command.deal_id)
    return announce(lead, desk.scorecard, event_id=command.event_id, now=now)
