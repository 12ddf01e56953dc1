"""Merge two leads that are one person: one card, one history, one score, one qualification."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lead_scoring.domain.lead import Qualification
from lead_scoring.domain.person import Person
from lead_scoring.usecases.announce import announce, qualified
from lead_scoring.usecases.desk import Desk
from shared.contracts.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeLeads:
    """`merged_id` is an alias of `lead_id` now; `person` and `version` are the survivor's card."""

    lead_id: UUID
    merged_id: UUID
    event_id: UUID
    version: int
    person: Person


def merge_leads(command: MergeLeads, desk: Desk, *, now: datetime) -> list[Event]:
    """Score the surviving lead anew by what both did, and say what it is now.

    A lead that sales has is not handed over again, with one exception: where one of the two was
    disqualified by a cause that does not hold for the person, `LeadQualified` takes that back.
    """
    lead = desk.take(command.lead_id, now=now)
    other = desk.take(command.merged_id, now=now)
    was_disqualified = Qualification.DISQUALIFIED in {lead.qualification, other.qualification}
    lead.learn(person=command.person, version=command.version)
    desk.merge(command.merged_id, into=command.lead_id)
    lead.take_over(other, history=desk.history_of(command.lead_id), card=desk.scorecard)
    said = announce(lead, desk.scorecard, event_id=command.event_id, now=now, anew=True)
    if was_disqualified and lead.qualification is Qualification.QUALIFIED:
        lead.qualified_at = now
        return [qualified(lead, desk.scorecard, now)]
    return said
