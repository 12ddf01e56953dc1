"""Merge two leads that are one person: one stays with all that is known, the other is its alias."""

from dataclasses import dataclass
from datetime import datetime

from marketing_intake.domain.lead import Lead, LeadIsErased, LeadNotFound
from marketing_intake.usecases.cards import card_of
from marketing_intake.usecases.desk import Desk
from shared.contracts.event import Event
from shared.contracts.lead import LeadMerged
from shared.ids import LeadId


@dataclass(frozen=True, slots=True)
class MergeLeads:
    """The lead that goes, and the one that it becomes; neither is an alias."""

    lead_id: LeadId
    into: LeadId


def merge_leads(command: MergeLeads, desk: Desk, *, now: datetime) -> list[Event]:
    """Give one lead all that is known of both; say `LeadMerged` on the stream of each.

    Raises:
        LeadNotFound: one of them does not exist.
        LeadIsErased: one of them was erased.
    """
    gone, stays = _lead(command.lead_id, desk), _lead(command.into, desk)
    stays.take_over(gone, now=now)
    desk.dirty |= {gone.id, stays.id}
    card = card_of(stays)
    return [
        LeadMerged(
            lead_id=lead_id,
            lead_version=stays.version,
            merged_id=gone.id,
            surviving_id=stays.id,
            lead=card,
            merged_at=now,
        )
        for lead_id in (gone.id, stays.id)
    ]


def _lead(lead_id: LeadId, desk: Desk) -> Lead:
    lead = desk.leads.get(lead_id)
    if lead is None:
        raise LeadNotFound(f"no lead has the id {lead_id}")
    if lead.erased_at is not None:
        raise LeadIsErased(lead_id)
    return lead
