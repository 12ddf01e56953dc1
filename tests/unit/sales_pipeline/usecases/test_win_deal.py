"""Winning: the order, and the customer whom a first purchase makes."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from sales_pipeline.domain.deal import Deal, DealAlreadyClosed
from sales_pipeline.domain.money import Money
from sales_pipeline.domain.stage import Stage
from sales_pipeline.usecases.accept_deal import AcceptDeal, accept_deal
from sales_pipeline.usecases.desk import Desk
from sales_pipeline.usecases.open_deal import OpenDeal, open_deal
from sales_pipeline.usecases.win_deal import WinDeal, win_deal
from shared.contracts.deal import DealAccepted, DealWon, OrderPlaced

EURO = Money(amount_minor=120_000, currency="EUR")


class TestWinDeal:
    def test_says_the_win_and_the_order(self, desk: Desk, deal: Deal, now: datetime) -> None:
        accept_deal(AcceptDeal(deal_id=deal.id), desk, now=now)
        won, placed = win_deal(WinDeal(deal_id=deal.id, amount=EURO), desk, now=now)

        assert isinstance(won, DealWon)
        assert isinstance(placed, OrderPlaced)
        assert won.amount == placed.amount
        assert (placed.amount.amount_minor, placed.amount.currency) == (120_000, "EUR")
        assert (placed.deal_id, placed.order_id) == (deal.id, desk.orders[0].id)
        assert deal.stage is Stage.WON

    def test_takes_the_deal_on_first_where_nobody_had(
        self, desk: Desk, deal: Deal, now: datetime
    ) -> None:
        events = win_deal(WinDeal(deal_id=deal.id, amount=EURO), desk, now=now)

        assert [type(event) for event in events] == [DealAccepted, DealWon, OrderPlaced]

    def test_makes_the_customer_at_the_first_purchase_and_counts_the_next(
        self,
        desk: Desk,
        deal: Deal,
        now: datetime,
        a_qualified_lead: Callable[..., OpenDeal],
    ) -> None:
        later = now + timedelta(days=30)
        win_deal(WinDeal(deal_id=deal.id, amount=EURO), desk, now=now)
        (customer,) = desk.customers.values()
        open_deal(a_qualified_lead(deal.lead_id, version=2), desk, now=later)
        second = desk.open_deal_of(deal.lead_id)
        assert second
        dollars = Money(amount_minor=50, currency="USD")
        win_deal(WinDeal(deal_id=second.id, amount=dollars), desk, now=later)

        assert list(desk.customers.values()) == [customer]
        assert customer.name == "Grace Hopper"
        assert customer.order_count == 2
        assert customer.last_purchase_at == later
        assert customer.lifetime_value == {"EUR": 120_000, "USD": 50}

    def test_happens_once(self, desk: Desk, deal: Deal, now: datetime) -> None:
        win_deal(WinDeal(deal_id=deal.id, amount=EURO), desk, now=now)

        with pytest.raises(DealAlreadyClosed):
            win_deal(WinDeal(deal_id=deal.id, amount=EURO), desk, now=now)
        assert len(desk.orders) == 1
        assert desk.customers[deal.lead_id].order_count == 1
