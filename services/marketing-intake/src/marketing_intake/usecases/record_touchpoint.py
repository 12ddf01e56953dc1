"""Record what a known lead did that is not a form: a visit, a click, an open."""

from dataclasses import dataclass
from datetime import datetime

from marketing_intake.usecases.desk import Desk, TouchpointRecord
from shared.contracts.event import Event
from shared.contracts.lead import Touchpoint, TouchpointRecorded
from shared.ids import LeadId


@dataclass(frozen=True, slots=True)
class RecordTouchpoint:
    """One contact of a lead with marketing."""

    lead_id: LeadId
    touchpoint: Touchpoint


def record_touchpoint(command: RecordTouchpoint, desk: Desk, *, now: datetime) -> list[Event]:
    """Keep the touchpoint, no later than it was received; say `TouchpointRecorded`.

    Raises:
        LeadNotFound: there is no such lead, or it was erased.
    """
    lead = desk.lead(command.lead_id)
    occurred = min(command.touchpoint.occurred_at, now)
    touchpoint = command.touchpoint.model_copy(update={"occurred_at": occurred})
    desk.touchpoints.append(TouchpointRecord(lead.id, touchpoint))
    return [TouchpointRecorded(lead_id=lead.id, lead_version=lead.version, touchpoint=touchpoint)]
