"""Open a deal: the handoff itself. Marketing says that a lead is qualified; sales gets a deal.

Start here. Every use case of this service has this shape: a command that says what happened or
is wanted, and a function that changes what lies on the desk and returns the events it says.
"""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.domain.deal import Deal
from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.desk import Desk, Word
from sales_pipeline.usecases.keep_lead_card import KeepLeadCard, keep_lead_card
from sales_pipeline.usecases.saying import about
from sales_pipeline.usecases.score_deal import ScoreDeal, score_deal
from shared.contracts.deal import DealOpened
from shared.contracts.event import Event
from shared.contracts.lead import LeadCard
from shared.ids import DealId, LeadId, new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDeal:
    """A lead qualified by this word, with this score; the card is what marketing knew then."""

    lead_id: LeadId
    word: Word
    lead: LeadCard
    score: int
    grade: str


def open_deal(command: OpenDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """See to it that the lead has exactly one open deal, with an owner.

    No open deal: opens one, for the next rep. One that is flagged: takes the flag away and says
    `DealOpened` anew, as reopened. Else the deal only gets the newer score.
    """
    keep_lead_card(_card_of(command), desk, now=now)
    lead = desk.lead(command.lead_id, now=now)
    is_old = lead.outran(command.word, last=lead.judged_version)
    if not is_old:
        lead.judged(command.word, disqualified=None)
    deal = desk.open_deal_of(command.lead_id)
    if deal is None:
        lead.scored(command.word, score=command.score, grade=command.grade)
        return _open(command, desk, now=now)
    if deal.flag and not is_old and lead.concerns(deal, command.word):
        lead.scored(command.word, score=command.score, grade=command.grade)
        return _reopen(deal, command, desk, now=now)
    return score_deal(_score_of(command), desk, now=now)


def _open(command: OpenDeal, desk: Desk, *, now: datetime) -> list[Event]:
    deal = Deal(
        id=DealId(new_id()),
        lead_id=command.lead_id,
        opened_for=command.word.said_of,
        owner_id=desk.team().next_owner(reps=desk.reps.values()),
        score=command.score,
        grade=command.grade,
        created_at=now,
        updated_at=now,
    )
    desk.changed.add(desk.team().id)
    desk.note(deal, Happening.OPENED, now=now, detail=_handed_over(deal))
    return [_opened(deal, desk, reopened=False, now=now)]


def _reopen(deal: Deal, command: OpenDeal, desk: Desk, *, now: datetime) -> list[Event]:
    deal.rescore(score=command.score, grade=command.grade, now=now)
    deal.lower_flag(now=now)
    desk.note(deal, Happening.REOPENED, now=now, detail=_handed_over(deal))
    return [_opened(deal, desk, reopened=True, now=now)]


def _opened(deal: Deal, desk: Desk, *, reopened: bool, now: datetime) -> Event:
    return DealOpened(
        **about(deal, desk=desk, now=now),
        lead=desk.leads[deal.lead_id].card,
        stage=deal.stage,
        score=deal.score,
        grade=deal.grade,
        reopened=reopened,
    )


def _card_of(command: OpenDeal) -> KeepLeadCard:
    return KeepLeadCard(
        lead_id=command.lead_id, version=command.word.lead_version, card=command.lead
    )


def _score_of(command: OpenDeal) -> ScoreDeal:
    return ScoreDeal(
        lead_id=command.lead_id, word=command.word, score=command.score, grade=command.grade
    )


def _handed_over(deal: Deal) -> dict[str, object]:
    return {"owner_id": str(deal.owner_id), "score": deal.score, "grade": deal.grade}
