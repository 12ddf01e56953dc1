"""Erase a person: nothing of them stays but an id and keyed hashes of how they were known."""

from dataclasses import dataclass
from datetime import datetime

from marketing_intake.domain.erasure import traces_of_lead
from marketing_intake.domain.lead import LeadNotFound
from marketing_intake.usecases.desk import Desk
from shared.contracts.event import Event
from shared.contracts.lead import LeadErased
from shared.ids import LeadId


@dataclass(frozen=True, slots=True)
class EraseLead:
    """The lead to be forgotten everywhere."""

    lead_id: LeadId


def erase_lead(command: EraseLead, desk: Desk, *, now: datetime) -> list[Event]:
    """Blank the lead and say `LeadErased`, once: of who is erased already nothing is said.

    It is said by every name of theirs, so that no stream of theirs is heard any further.

    Raises:
        LeadNotFound: there never was such a lead.
    """
    lead = desk.leads.get(command.lead_id)
    if lead is None:
        raise LeadNotFound(f"no lead has the id {command.lead_id}")
    if lead.erased_at is not None:
        return []
    shown = desk.phones.get(lead.id, [])
    desk.erasures[lead.id] = traces_of_lead(emails=desk.emails.get(lead.id, []), phones=shown)
    lead.erase(now=now)
    desk.dirty.add(lead.id)
    return [
        LeadErased(lead_id=name, lead_version=lead.version, erased_at=now)
        for name in desk.names_of(lead.id)
    ]
