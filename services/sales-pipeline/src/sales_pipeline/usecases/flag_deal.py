"""Flag a deal: its lead is disqualified. The deal stays open; whether it goes on, a rep decides."""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.usecases.desk import Desk
from sales_pipeline.usecases.follow_scoring import follow_scoring
from sales_pipeline.usecases.known_lead import Judged, Word
from shared.contracts.event import Event
from shared.ids import LeadId


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagDeal:
    """A qualified lead may no longer be worked, by this word; `reason` is scoring's for why."""

    lead_id: LeadId
    word: Word
    reason: str


def flag_deal(command: FlagDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """Keep the judgement, and put the warning on the lead's open deal if it is about that one."""
    word = command.word
    lead = desk.lead(command.lead_id, now=now)
    lead.judgements[word.said_of] = Judged(word.lead_version, disqualified=command.reason)
    return follow_scoring(command.lead_id, desk, now=now)
