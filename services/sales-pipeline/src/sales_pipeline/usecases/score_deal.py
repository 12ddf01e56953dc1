"""Score a deal: the lead's score changed while sales works on it."""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.usecases.desk import Desk
from sales_pipeline.usecases.follow_scoring import follow_scoring
from sales_pipeline.usecases.known_lead import Scored, Word
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
    """Keep the score, on the lead's open deal too if that is whom it is about."""
    word = command.word
    lead = desk.lead(command.lead_id, now=now)
    lead.scores[word.said_of] = Scored(word.lead_version, command.score, command.grade)
    return follow_scoring(command.lead_id, desk, now=now)
