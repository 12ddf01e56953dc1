"""Disqualify a lead: it may no longer be worked, so what was to be done for it is cancelled.

Scores and deals are two topics, and either may be ahead of the other. So "older than the
disqualification" is not a question of what was heard first, nor of when something occurred: a
deal can be opened, late, by a qualification that was over by then. It is asked of the event by
which a task's trigger was informed: a deal that opens says the `LeadQualified` that caused it,
anything that a rep did is informed by itself. Ids of events are time-ordered, and a lead's
`LeadQualified` and `LeadDisqualified` are numbered by the same speaker. What is remembered here
is compared again whenever a task is made (`follow_deal.py`), so both orders end alike.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from notifier.domain.task import Cause
from notifier.usecases.desk import Desk, Disqualification
from shared.contracts.event import Event
from shared.ids import LeadId


@dataclass(frozen=True, slots=True, kw_only=True)
class DisqualifyLead:
    """Scoring took a qualification back, by this event.

    It was said of the lead by the name `said_of`, when scoring knew it in `lead_version`.
    """

    lead_id: LeadId
    said_of: LeadId
    lead_version: int
    event_id: UUID


def disqualify_lead(command: DisqualifyLead, desk: Desk, *, now: datetime) -> list[Event]:
    """Cancel what is unfinished and older than this event; remember it for what comes late."""
    lead = desk.lead(command.lead_id, now=now)
    lead.disqualified[command.said_of] = Disqualification(command.event_id, command.lead_version)
    lead.updated_at = now
    desk.keep(lead)
    for task in desk.unfinished(command.lead_id):
        if lead.forbids(task):
            task.cancel(cause=Cause.LEAD_DISQUALIFIED, now=now)
            desk.keep(task)
    return []
