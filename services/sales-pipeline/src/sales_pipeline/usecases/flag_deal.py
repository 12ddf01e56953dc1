"""Flag a deal: its lead is disqualified. The deal stays open; whether it goes on, a rep decides."""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.desk import Desk, Word
from shared.contracts.event import Event
from shared.ids import LeadId


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagDeal:
    """A qualified lead may no longer be worked, by this word; `reason` is scoring's for why."""

    lead_id: LeadId
    word: Word
    reason: str


def flag_deal(command: FlagDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """Put the warning on the lead's open deal, if it has one.

    What was said of one of two leads before they merged is no warning on the deal of the other,
    and does not stand against what was said of both.
    """
    lead = desk.lead(command.lead_id, now=now)
    if lead.outran(command.word, last=lead.judged_version):
        return []
    lead.judged(command.word, disqualified=command.reason)
    deal = desk.open_deal_of(command.lead_id)
    if deal is None or not lead.concerns(deal, command.word):
        return []
    deal.raise_flag(reason=command.reason, now=now)
    desk.note(deal, Happening.FLAGGED, now=now, detail={"reason": command.reason})
    return []
