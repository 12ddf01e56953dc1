"""Win a deal: the lead bought. The deal becomes an order, and the lead a customer."""

from dataclasses import dataclass
from datetime import datetime

from sales_pipeline.domain.customer import Customer, Order
from sales_pipeline.domain.deal import Deal
from sales_pipeline.domain.money import Money
from sales_pipeline.domain.stage import Stage
from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.accept_deal import accepted
from sales_pipeline.usecases.desk import Desk
from sales_pipeline.usecases.saying import about, in_words_of_the_contract
from shared.contracts.deal import DealWon, OrderPlaced
from shared.contracts.event import Event
from shared.contracts.lead import LeadCard
from shared.ids import DealId, new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class WinDeal:
    """The lead bought, for this amount."""

    deal_id: DealId
    amount: Money


def win_deal(command: WinDeal, desk: Desk, *, now: datetime) -> list[Event]:
    """End the deal by a sale; a first purchase makes the customer.

    Raises:
        DealAlreadyClosed: the deal has ended.
    """
    deal = desk.deals[command.deal_id]
    needs_acceptance = deal.needs_acceptance_for(Stage.WON)
    taken_on = accepted(deal, desk, rep_id=deal.owner_id, now=now) if needs_acceptance else []
    deal.win(amount=command.amount, now=now)
    order = _place_order(deal, command.amount, desk, now=now)
    amount = in_words_of_the_contract(command.amount)
    detail = {**amount.model_dump(), "order_id": str(order.id)}
    desk.note(deal, Happening.WON, now=now, detail=detail)
    won = DealWon(**about(deal, desk=desk, now=now), amount=amount)
    placed = OrderPlaced(
        lead_id=won.lead_id,
        lead_version=won.lead_version,
        order_id=order.id,
        deal_id=deal.id,
        customer_id=order.customer_id,
        amount=amount,
        placed_at=now,
    )
    return [*taken_on, won, placed]


def _place_order(deal: Deal, amount: Money, desk: Desk, *, now: datetime) -> Order:
    customer = _customer_of(deal, desk, now=now)
    customer.buy(amount=amount, now=now)
    order = Order(
        id=new_id(),
        deal_id=deal.id,
        lead_id=deal.lead_id,
        customer_id=customer.id,
        owner_id=deal.owner_id,
        amount=amount,
        placed_at=now,
    )
    desk.orders.append(order)
    return order


def _customer_of(deal: Deal, desk: Desk, *, now: datetime) -> Customer:
    customer = desk.customers.get(deal.lead_id) or Customer(
        id=new_id(),
        lead_id=deal.lead_id,
        name=_name_on(desk.leads[deal.lead_id].card),
        created_at=now,
        updated_at=now,
    )
    desk.customers[deal.lead_id] = customer
    desk.changed.add(customer.id)
    return customer


def _name_on(card: LeadCard) -> str | None:
    person = " ".join(name for name in (card.first_name, card.last_name) if name)
    return card.company or person or card.email
