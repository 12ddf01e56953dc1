"""Keep that sales works on a lead: a deal was opened for it.

This mends what crossed on the way. Where consent comes back while sales ends the deal, the lead is
qualified again before that end is heard here; the deal that follows shows that it holds.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lead_scoring.usecases.announce import announce
from lead_scoring.usecases.desk import Desk
from shared.contracts.event import Event


@dataclass(frozen=True, slots=True)
class NoteOpenDeal:
    """A deal of the lead was opened."""

    lead_id: UUID
    deal_id: UUID
    event_id: UUID


def note_open_deal(command: NoteOpenDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """Keep that the lead is with sales, whatever end was heard of an earlier deal."""
    lead = desk.take(command.lead_id, now=now)
    lead.opened(command.deal_id)
    return announce(lead, desk.scorecard, event_id=command.event_id, now=now)
