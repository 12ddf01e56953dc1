"""Reassign a deal: give it another owner."""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.domain.deal import Deal
from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.desk import Desk
from sales_pipeline.usecases.saying import about
from shared.contracts.deal import DealReassigned
from shared.contracts.event import Event
from shared.ids import DealId, RepId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReassignDeal:
    """This rep is to own the deal from now on; a rep who is away may be given one by hand."""

    deal_id: DealId
    owner_id: RepId


def reassign_deal(command: ReassignDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """Give the deal to the rep. They own it already: says nothing.

    Raises:
        UnknownRep: there is no such rep.
        DealAlreadyClosed: the deal has ended.
    """
    deal = desk.deals[command.deal_id]
    previous = deal.owner_id
    if not deal.reassign(owner_id=desk.rep(command.owner_id).id, now=now):
        return []
    return reassigned(deal, desk, previous=previous, now=now)


def reassigned(deal: Deal, desk: Desk, *, previous: RepId, now: datetime) -> list[Event]:
    """Write down and say that the deal has another owner."""
    detail = {"previous_owner_id": str(previous), "owner_id": str(deal.owner_id)}
    desk.note(deal, Happening.REASSIGNED, now=now, detail=detail)
    return [DealReassigned(**about(deal, desk=desk, now=now), previous_owner_id=previous)]
