"""Keep a lead card: what titles say of a lead, moved only upward by the lead's version."""

from dataclasses import dataclass
from datetime import datetime

from notifier.usecases.desk import Desk
from shared.contracts.event import Event
from shared.contracts.lead import LeadCard
from shared.ids import LeadId


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepLeadCard:
    """Somebody said what a lead looked like in one of its versions."""

    lead_id: LeadId
    version: int
    card: LeadCard


def keep_lead_card(command: KeepLeadCard, desk: Desk, *, now: datetime) -> list[Event]:
    """Take on the card, unless a later one is known: topics overtake each other."""
    lead = desk.lead(command.lead_id, now=now)
    if lead.version >= command.version:
        return []
    lead.version, lead.card, lead.updated_at = command.version, command.card, now
    desk.keep(lead)
    return []
