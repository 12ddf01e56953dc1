"""Merge two leads that are one person: one card, one customer, and at most one open deal."""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.domain.deal import Deal
from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.desk import Desk, KnownLead, Word
from sales_pipeline.usecases.keep_lead_card import KeepLeadCard, keep_lead_card
from sales_pipeline.usecases.saying import about
from sales_pipeline.usecases.score_deal import ScoreDeal, rescore
from shared.contracts.deal import DealMerged
from shared.contracts.event import Event
from shared.contracts.lead import LeadCard
from shared.ids import LeadId


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeLeads:
    """`merged_id` is an alias of `lead_id` now, whose card this is, in this version."""

    lead_id: LeadId
    merged_id: LeadId
    version: int
    card: LeadCard


def merge_leads(command: MergeLeads, desk: Desk, *, now: datetime) -> list[Event]:
    """Give the surviving lead what both had. Of two open deals the one that came further stays.

    At the same stage that is the one which was taken on, then the older one. The other ends as
    merged, and says so.
    """
    keep = KeepLeadCard(lead_id=command.lead_id, version=command.version, card=command.card)
    keep_lead_card(keep, desk, now=now)
    lead = desk.lead(command.lead_id, now=now)
    lead.merged_version = command.version
    both = (desk.open_deal_of(command.merged_id), desk.open_deal_of(command.lead_id))
    deals = sorted(filter(None, both), key=Deal.progress)
    desk.merge(command.merged_id, into=command.lead_id)
    _merge_customers(command, desk, now=now)
    if not deals:
        return []
    *given_up, kept = deals
    desk.keep(kept)
    _bring_up_to_date(kept, lead, desk, now=now)
    return [_end(deal, kept, desk, now=now) for deal in given_up]


def _end(deal: Deal, kept: Deal, desk: Desk, *, now: datetime) -> Event:
    deal.give_way(to=kept.id, now=now)
    desk.note(deal, Happening.MERGED, now=now, detail={"into_deal_id": str(kept.id)})
    return DealMerged(
        **about(deal, desk=desk, now=now), into_deal_id=kept.id, stage=str(deal.stage)
    )


def _bring_up_to_date(deal: Deal, lead: KnownLead, desk: Desk, *, now: datetime) -> None:
    """Scoring may have heard of the merge first: what it said of both holds for what is kept."""
    word = Word(said_of=lead.id, lead_version=lead.scored_version)
    if lead.scored_version >= lead.merged_version and lead.score is not None and lead.grade:
        score = ScoreDeal(lead_id=lead.id, word=word, score=lead.score, grade=lead.grade)
        rescore(deal, score, desk, now=now)
    if lead.judged_version < lead.merged_version:
        return
    if lead.disqualified and not deal.flag:
        deal.raise_flag(reason=lead.disqualified, now=now)
        desk.note(deal, Happening.FLAGGED, now=now, detail={"reason": lead.disqualified})
    elif deal.flag and not lead.disqualified:
        deal.lower_flag(now=now)
        desk.note(deal, Happening.UNFLAGGED, now=now)


def _merge_customers(command: MergeLeads, desk: Desk, *, now: datetime) -> None:
    theirs, ours = desk.customers.pop(command.merged_id, None), desk.customers.get(command.lead_id)
    if theirs is None:
        return
    if ours is None:
        theirs.lead_id = command.lead_id
        desk.customers[command.lead_id] = theirs
        desk.changed.add(theirs.id)
        return
    ours.take_over(theirs, now=now)
    desk.changed.add(ours.id)
