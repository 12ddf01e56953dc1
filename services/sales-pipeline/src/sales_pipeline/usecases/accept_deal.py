"""Accept a deal: a rep takes it on, which makes the lead sales-accepted (SAL)."""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.domain.deal import Deal
from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.desk import Desk
from sales_pipeline.usecases.reassign_deal import reassigned
from sales_pipeline.usecases.saying import about
from shared.contracts.deal import DealAccepted
from shared.contracts.event import Event
from shared.ids import DealId, RepId


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptDeal:
    """A rep wants this deal; absent `rep_id`: its owner does."""

    deal_id: DealId
    rep_id: RepId | None = None


def accept_deal(command: AcceptDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """Let the rep take the deal on; whoever does so owns it. Done already: says nothing.

    Raises:
        UnknownRep: there is no such rep.
        DealAlreadyClosed: the deal has ended.
        DealAlreadyAccepted: another rep took it on.
    """
    deal = desk.deals[command.deal_id]
    return accepted(deal, desk, rep_id=command.rep_id or deal.owner_id, now=now)


def accepted(deal: Deal, desk: Desk, *, rep_id: RepId, now: datetime) -> list[Event]:
    """Let a rep take a deal on, as accepting does and as moving it on implies."""
    previous = deal.owner_id
    desk.rep(rep_id)
    if not deal.accept(rep_id=rep_id, now=now):
        return []
    handed = reassigned(deal, desk, previous=previous, now=now) if rep_id != previous else []
    desk.note(deal, Happening.ACCEPTED, now=now, detail={"rep_id": str(rep_id)})
    return [*handed, DealAccepted(**about(deal, desk=desk, now=now))]
