"""Keep how a deal ended, and hand the lead over again if it came back after that end."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lead_scoring.domain.lead import Qualification
from lead_scoring.usecases.announce import announce
from lead_scoring.usecases.desk import Desk
from shared.contracts.event import Event


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """A deal of the lead was won, lost or recycled; `occurred_at` is sales' own time of it."""

    lead_id: UUID
    deal_id: UUID
    event_id: UUID
    outcome: Qualification
    occurred_at: datetime


def record_outcome(command: RecordOutcome, desk: Desk, *, now: datetime) -> list[Event]:
    """Keep the end; an engagement after it that was heard before it qualifies the lead at once."""
    lead = desk.take(command.lead_id, now=now)
    lead.ended(command.deal_id, how=command.outcome, at=command.occurred_at)
    return announce(lead, desk.scorecard, event_id=command.event_id, now=now)
