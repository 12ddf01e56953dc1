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
    """Who bought: how often, when last, and for how much in each currency (minor units)."""

    id: UUID
    lead_id: LeadId
    name: str | None
    created_at: datetime
    updated_at: datetime
    order_count: int = 0
    last_purchase_at: datetime | None = None
    lifetime_value: dict[str, int] = field(default_factory=dict[str, int])

    def buy(self, *, amount: Money, now: datetime) -> None:
        """Count one more purchase."""
        self.order_count += 1
        self.last_purchase_at = self.updated_at = now
        so_far = self.lifetime_value.get(amount.currency, 0)
        self.lifetime_value[amount.currency] = so_far + amount.amount_minor
