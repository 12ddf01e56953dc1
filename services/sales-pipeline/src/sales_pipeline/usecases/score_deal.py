"""Score a deal: the lead's score changed while sales works on it."""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.domain.deal import Deal
from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.desk import Desk, Word
from shared.contracts.event import Event
from shared.ids import LeadId


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreDeal:
    """The lead has this score now, by this word."""

    lead_id: LeadId
    word: Word
    score: int
    grade: str


def score_deal(command: ScoreDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """Keep the score, on the lead's open deal too if it has one.

    A score that was given to one of two leads before they merged is not that of the other's deal,
    and does not replace the score of both.
    """
    lead = desk.lead(command.lead_id, now=now)
    if lead.outran(command.word, last=lead.scored_version):
        return []
    lead.scored(command.word, score=command.score, grade=command.grade)
    deal = desk.open_deal_of(command.lead_id)
    if deal is None or not lead.concerns(deal, command.word):
        return []
    return rescore(deal, command, desk, now=now)


def rescore(deal: Deal, command: ScoreDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """Write a score on a deal, if it is another one."""
    if (deal.score, deal.grade) == (command.score, command.grade):
        return []
    detail = {"previous_score": deal.score, "score": command.score, "grade": command.grade}
    deal.rescore(score=command.score, grade=command.grade, now=now)
    desk.note(deal, Happening.SCORED, now=now, detail=detail)
    return []
