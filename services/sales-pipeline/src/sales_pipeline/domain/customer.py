"""A customer: a lead who bought at least once, and the orders that were placed."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sales_pipeline.domain.money import Money
from shared.ids import DealId, LeadId, RepId


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a won deal became: to be fulfilled and paid."""

    id: UUID
    deal_id: DealId
    lead_id: LeadId
    customer_id: UUID
    owner_id: RepId
    amount: Money
    placed_at: datetime


@dataclass(slots=True, kw_only=True)
class Customer:
    """Who bought: how often, when last, and for how much in each currency (minor units).

    `aliases` are the ids by which others may know them from before a merge.
    """

    id: UUID
    lead_id: LeadId
    name: str | None
    created_at: datetime
    updated_at: datetime
    order_count: int = 0
    last_purchase_at: datetime | None = None
    lifetime_value: dict[str, int] = field(default_factory=dict[str, int])
    aliases: list[UUID] = field(default_factory=list[UUID])

    def buy(self, *, amount: Money, now: datetime) -> None:
        """Count one more purchase."""
        self.order_count += 1
        self.last_purchase_at = self.updated_at = now
        so_far = self.lifetime_value.get(amount.currency, 0)
        self.lifetime_value[amount.currency] = so_far + amount.amount_minor

    def take_over(self, other: "Customer", *, now: datetime) -> None:
        """Count also what the same person bought under another name."""
        self.aliases += [other.id, *other.aliases]
        self.order_count += other.order_count
        bought = [at for at in (self.last_purchase_at, other.last_purchase_at) if at]
        self.last_purchase_at = max(bought, default=None)
        for currency, amount in other.lifetime_value.items():
            self.lifetime_value[currency] = self.lifetime_value.get(currency, 0) + amount
        self.name = self.name or other.name
        self.created_at = min(self.created_at, other.created_at)
        self.updated_at = now
