"""Flag a deal: its lead is disqualified. The deal stays open; whether it goes on, a rep decides."""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.desk import Desk
from shared.contracts.event import Event
from shared.ids import LeadId


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagDeal:
    """A qualified lead may no longer be worked; `reason` is scoring's word for why."""

    lead_id: LeadId
    reason: str


def flag_deal(command: FlagDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """Put the warning on the lead's open deal, if it has one."""
    deal = desk.open_deal_of(command.lead_id)
    if deal is None:
        return []
    deal.raise_flag(reason=command.reason, now=now)
    desk.note(deal, Happening.FLAGGED, now=now, detail={"reason": command.reason})
    return []
