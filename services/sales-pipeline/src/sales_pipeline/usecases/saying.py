"""What every event about a deal begins with, so that a use case names only what is its own."""

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from sales_pipeline.domain.deal import Deal
from sales_pipeline.domain.money import Money
from sales_pipeline.usecases.desk import Desk
from shared.contracts import deal as contract


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


def in_words_of_the_contract(amount: Money) -> contract.Money:
    """Return an amount as events carry it."""
    return contract.Money(amount_minor=amount.amount_minor, currency=amount.currency)
