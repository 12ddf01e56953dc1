"""Merge two leads that are one person: one card, one customer, and at most one open deal."""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.domain.deal import Deal
from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.desk import Desk
from sales_pipeline.usecases.follow_scoring import follow_scoring
from sales_pipeline.usecases.keep_lead_card import KeepLeadCard, keep_lead_card
from sales_pipeline.usecases.saying import about
from shared.aliases import Alias
from shared.contracts.deal import DealMerged
from shared.contracts.event import Event
from shared.contracts.lead import LeadCard
from shared.ids import LeadId


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeLeads:
    """`merged_id` is an alias of `lead_id` now, whose card this is.

    They are what the two are by now; marketing merged `alias` into `survivor`, which may have
    merged on, as this service has heard before.
    """

    lead_id: LeadId
    merged_id: LeadId
    alias: LeadId
    survivor: Alias
    card: LeadCard


def merge_leads(command: MergeLeads, desk: Desk, *, now: datetime) -> list[Event]:
    """Give the surviving lead what both had. Of two open deals the one that came further stays.

    At the same stage that is the one which was taken on, then the older one. The other ends as
    merged, and says so. What scoring said of the person may be about another deal now.
    """
    card = KeepLeadCard(
        lead_id=command.lead_id, version=command.survivor.version, card=command.card
    )
    keep_lead_card(card, desk, now=now)
    lead, other = desk.lead(command.lead_id, now=now), desk.lead(command.merged_id, now=now)
    lead.take_over(other, alias=command.alias, survivor=command.survivor)
    both = (desk.open_deal_of(command.merged_id), desk.open_deal_of(command.lead_id))
    desk.merge(command.merged_id, into=command.lead_id)
    _merge_customers(command, desk, now=now)
    ended = _keep_one(list(filter(None, both)), desk, now=now)
    return [*ended, *follow_scoring(command.lead_id, desk, now=now)]


def _keep_one(deals: list[Deal], desk: Desk, *, now: datetime) -> list[Event]:
    if not deals:
        return []
    *given_up, kept = sorted(deals, key=Deal.progress)
    desk.keep(kept)
    return [_end(deal, kept, desk, now=now) for deal in given_up]


def _end(deal: Deal, kept: Deal, desk: Desk, *, now: datetime) -> Event:
    deal.give_way(to=kept.id, now=now)
    desk.note(deal, Happening.MERGED, now=now, detail={"into_deal_id": str(kept.id)})
    return DealMerged(
        **about(deal, desk=desk, now=now), into_deal_id=kept.id, stage=str(deal.stage)
    )


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
