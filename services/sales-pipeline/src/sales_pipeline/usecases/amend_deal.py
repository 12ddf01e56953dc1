"""Amend a deal: what it may bring, and when. Others are told when it is won, not before."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict

from sales_pipeline.domain.deal import AmountIncomplete, Deal
from sales_pipeline.domain.money import Money
from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.desk import Desk
from shared.contracts.event import Event
from shared.ids import DealId


class Amendments(TypedDict, total=False):
    """What is to change; a field that is absent stays as it is, None takes the value away."""

    amount_minor: int | None
    currency: str | None
    expected_close_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendDeal:
    """Somebody knows better what the sale may bring."""

    deal_id: DealId
    amendments: Amendments


def amend_deal(command: AmendDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """Write the changes on the deal. Says nothing: nobody acts on a forecast.

    Raises:
        DealAlreadyClosed: the deal has ended.
        AmountIncomplete: an amount without a currency, or the other way round.
    """
    deal = desk.deals[command.deal_id]
    amount = _amount_after(command.amendments, deal)
    close_on = command.amendments.get("expected_close_on", deal.expected_close_on)
    if deal.expect(amount=amount, close_on=close_on, now=now):
        detail = {
            "amount_minor": amount.amount_minor if amount else None,
            "currency": amount.currency if amount else None,
            "expected_close_on": close_on.isoformat() if close_on else None,
        }
        desk.note(deal, Happening.AMENDED, now=now, detail=detail)
    return []


def _amount_after(amendments: Amendments, deal: Deal) -> Money | None:
    known = deal.amount
    minor = amendments.get("amount_minor", known.amount_minor if known else None)
    currency = amendments.get("currency") or (known.currency if known else None)
    if minor is None and not amendments.get("currency"):
        return None
    if minor is None or currency is None:
        raise AmountIncomplete
    return Money(amount_minor=minor, currency=currency)
