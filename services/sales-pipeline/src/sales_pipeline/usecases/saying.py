"""What events about a deal begin with, and what hands one over, by whichever use case."""

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from sales_pipeline.domain.deal import Deal
from sales_pipeline.domain.money import Money
from sales_pipeline.usecases.desk import Desk
from shared.contracts import deal as contract
from shared.contracts.deal import DealOpened


class AboutDeal(TypedDict):
    """The fields that all events about a deal share."""

    lead_id: UUID
    lead_version: int
    deal_id: UUID
    owner_id: UUID
    occurred_at: datetime


def about(deal: Deal, *, desk: Desk, now: datetime) -> AboutDeal:
    """Return whose deal it is, by the name it was opened for, who owns it now, and when this is."""
    return AboutDeal(
        lead_id=deal.opened_for,
        lead_version=desk.leads[deal.lead_id].version,
        deal_id=deal.id,
        owner_id=deal.owner_id,
        occurred_at=now,
    )


def opened(deal: Deal, desk: Desk, *, reopened: bool, now: datetime) -> DealOpened:
    """Return what hands a deal to its owner, for the first time or anew."""
    return DealOpened(
        **about(deal, desk=desk, now=now),
        lead=desk.leads[deal.lead_id].card,
        stage=deal.stage,
        score=deal.score,
        grade=deal.grade,
        reopened=reopened,
    )


def handed_over(deal: Deal) -> dict[str, object]:
    """Return what the timeline says of a deal that is handed over."""
    return {"owner_id": str(deal.owner_id), "score": deal.score, "grade": deal.grade}


def in_words_of_the_contract(amount: Money) -> contract.Money:
    """Return an amount as events carry it."""
    return contract.Money(amount_minor=amount.amount_minor, currency=amount.currency)
