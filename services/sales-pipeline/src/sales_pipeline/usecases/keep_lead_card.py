"""Keep a lead card: what the pipeline must know of a lead, moved only upward by its version."""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.usecases.desk import Desk
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
    known = desk.leads.get(command.lead_id)
    if known and known.version >= command.version:
        return []
    lead = desk.lead(command.lead_id, now=now)
    lead.version, lead.card = command.version, command.card
    return []
