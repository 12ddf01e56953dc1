"""Follow scoring: a lead's open deal has the score and the flag of the last word about it.

Every word of scoring ends here, and so does a merge, which can make a word one about another deal.
"""

from datetime import datetime

from sales_pipeline.domain.deal import Deal
from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.desk import Desk
from sales_pipeline.usecases.known_lead import Judged, Scored
from sales_pipeline.usecases.saying import handed_over, opened
from shared.contracts.event import Event
from shared.ids import LeadId


def follow_scoring(lead_id: LeadId, desk: Desk, *, now: datetime) -> list[Event]:
    """Bring the lead's open deal up to date, if it has one.

    Where a flag is taken away, first contact is made anew: `DealOpened` says so, as reopened.
    """
    deal = desk.open_deal_of(lead_id)
    if deal is None:
        return []
    lead = desk.leads[lead_id]
    if score := lead.score_for(deal.opened_for):
        _score(deal, score, desk, now=now)
    judgement = lead.judgement_for(deal.opened_for)
    return _flag(deal, judgement, desk, now=now) if judgement else []


def _score(deal: Deal, given: Scored, desk: Desk, *, now: datetime) -> None:
    if (deal.score, deal.grade) == (given.score, given.grade):
        return
    detail = {"previous_score": deal.score, "score": given.score, "grade": given.grade}
    deal.rescore(score=given.score, grade=given.grade, now=now)
    desk.note(deal, Happening.SCORED, now=now, detail=detail)


def _flag(deal: Deal, judgement: Judged, desk: Desk, *, now: datetime) -> list[Event]:
    reason = judgement.disqualified
    if reason == (deal.flag and deal.flag.reason):
        return []
    if reason is not None:
        deal.raise_flag(reason=reason, now=now)
        desk.note(deal, Happening.FLAGGED, now=now, detail={"reason": reason})
        return []
    deal.lower_flag(now=now)
    desk.note(deal, Happening.REOPENED, now=now, detail=handed_over(deal))
    return [opened(deal, desk, reopened=True, now=now)]
