"""Score a deal: the lead's score changed while sales works on it."""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.desk import Desk
from shared.contracts.event import Event
from shared.ids import LeadId


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreDeal:
    """The lead has this score now."""

    lead_id: LeadId
    score: int
    grade: str


def score_deal(command: ScoreDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """Keep the score on the lead's open deal; without one it is nobody's business here."""
    deal = desk.open_deal_of(command.lead_id)
    if deal is None or (deal.score, deal.grade) == (command.score, command.grade):
        return []
    detail = {"previous_score": deal.score, "score": command.score, "grade": command.grade}
    deal.rescore(score=command.score, grade=command.grade, now=now)
    desk.note(deal, Happening.SCORED, now=now, detail=detail)
    return []
