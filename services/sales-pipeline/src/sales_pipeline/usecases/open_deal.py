"""Open a deal: the handoff itself. Marketing says that a lead is qualified; sales gets a deal.

Start here. Every use case of this service has this shape: a command that says what happened or
is wanted, and a function that changes what lies on the desk and returns the events it says.
"""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.domain.deal import Deal
from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.desk import Desk
from sales_pipeline.usecases.follow_scoring import follow_scoring
from sales_pipeline.usecases.keep_lead_card import KeepLeadCard, keep_lead_card
from sales_pipeline.usecases.known_lead import Judged, Scored, Word
from sales_pipeline.usecases.saying import handed_over, opened
from shared.contracts.event import Event
from shared.contracts.lead import LeadCard
from shared.ids import DealId, LeadId


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDeal:
    """A lead qualified by this word, with this score; the card is what marketing knew then.

    `deal_id`: what a deal that it opens is called, the same whenever the word is heard.
    `asked_at`: when what it qualified by was received.
    """

    deal_id: DealId
    lead_id: LeadId
    word: Word
    lead: LeadCard
    score: int
    grade: str
    asked_at: datetime


def open_deal(command: OpenDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """See to it that the lead has exactly one open deal, with an owner.

    No open deal: opens one, for the next rep. One that is flagged: takes the flag away and says
    `DealOpened` anew, as reopened. Else the deal only gets the newer score. Either holds unless a
    later word about the deal was heard before, as it may be after a merge.
    """
    word = command.word
    keep_lead_card(_card_of(command), desk, now=now)
    lead = desk.lead(command.lead_id, now=now)
    lead.scores[word.said_of] = Scored(word.lead_version, command.score, command.grade)
    lead.judgements[word.said_of] = Judged(word.lead_version, disqualified=None)
    if desk.open_deal_of(command.lead_id):
        return follow_scoring(command.lead_id, desk, now=now)
    return _open(command, desk, now=now)


def _open(command: OpenDeal, desk: Desk, *, now: datetime) -> list[Event]:
    deal = Deal(
        id=command.deal_id,
        lead_id=command.lead_id,
        opened_for=command.word.said_of,
        owner_id=desk.team().next_owner(reps=desk.reps.values()),
        score=command.score,
        grade=command.grade,
        asked_at=command.asked_at,
        created_at=now,
        updated_at=now,
    )
    desk.changed.add(desk.team().id)
    desk.note(deal, Happening.OPENED, now=now, detail=handed_over(deal))
    further = follow_scoring(command.lead_id, desk, now=now)
    return [opened(deal, desk, reopened=False, now=now), *further]


def _card_of(command: OpenDeal) -> KeepLeadCard:
    return KeepLeadCard(
        lead_id=command.lead_id, version=command.word.lead_version, card=command.lead
    )
