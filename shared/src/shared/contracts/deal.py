"""What sales-pipeline says: of deals on `handoff.deals.v1`, of reps on `handoff.reps.v1`.

A deal's events are on its lead's stream, so all that is said of one person has one order. After
a merge a deal stays on the stream that it was opened on, so that its own events keep their order.
"""

from typing import ClassVar
from uuid import UUID

from shared.contracts.event import Event, LeadEvent, Moment, Record
from shared.contracts.lead import LeadCard


class Money(Record):
    """An amount in minor units (cents) of an ISO 4217 currency."""

    amount_minor: int
    currency: str


class DealEvent(LeadEvent):
    """Something about one deal, when it happened, and who owned it then."""

    deal_id: UUID
    owner_id: UUID
    occurred_at: Moment


class DealOpened(DealEvent):
    """A qualified lead became a possible sale and has an owner.

    `reopened` is true where an open deal was flagged as disqualified and the lead qualified
    again, by itself or by a merge: no second deal, but first contact is made anew.
    """

    kind: ClassVar[str] = "deal.opened"

    lead: LeadCard
    stage: str
    score: int
    grade: str
    reopened: bool = False


class DealAccepted(DealEvent):
    """A rep took the deal on (SAL)."""

    kind: ClassVar[str] = "deal.accepted"


class DealRecycled(DealEvent):
    """Sales gave the lead back to marketing: ends the deal, which keeps its stage."""

    kind: ClassVar[str] = "deal.recycled"

    reason: str
    stage: str


class DealStageChanged(DealEvent):
    """The deal moved from one open stage to another."""

    kind: ClassVar[str] = "deal.stage_changed"

    from_stage: str
    to_stage: str


class DealReassigned(DealEvent):
    """The deal has another owner: `owner_id` is the new one."""

    kind: ClassVar[str] = "deal.reassigned"

    previous_owner_id: UUID


class DealWon(DealEvent):
    """The lead bought."""

    kind: ClassVar[str] = "deal.won"

    amount: Money


class DealLost(DealEvent):
    """The lead did not buy."""

    kind: ClassVar[str] = "deal.lost"

    reason: str
    stage: str


class DealMerged(DealEvent):
    """The lead merged with one that has an open deal too: this deal ended in favour of that one."""

    kind: ClassVar[str] = "deal.merged"

    into_deal_id: UUID
    stage: str


class OrderPlaced(LeadEvent):
    """What the won deal became: to be fulfilled and paid."""

    kind: ClassVar[str] = "order.placed"

    order_id: UUID
    deal_id: UUID
    customer_id: UUID
    amount: Money
    placed_at: Moment


class RepChanged(Event):
    """A rep is new or changed: the whole of what others may know of them."""

    kind: ClassVar[str] = "rep.changed"

    rep_id: UUID
    rep_version: int
    name: str
    email: str
    state: str
    changed_at: Moment

    @property
    def subject(self) -> UUID:
        """The rep."""
        return self.rep_id
