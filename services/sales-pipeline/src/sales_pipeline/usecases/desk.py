"""The desk: what the edge has locked and loaded, for use cases to work on.

Knows no database: it only remembers what was changed or made, so that the edge can save that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sales_pipeline.domain.customer import Customer, Order
from sales_pipeline.domain.deal import Deal
from sales_pipeline.domain.rep import Rep
from sales_pipeline.domain.routing import Team
from sales_pipeline.domain.timeline import ActivityKind, Entry, Happening
from sales_pipeline.usecases.known_lead import KnownLead
from shared.ids import DealId, LeadId, RepId, new_id


class UnknownRep(Exception):
    """There is no rep of that id."""

    def __init__(self, rep_id: RepId) -> None:
        """Name the id."""
        self.rep_id = rep_id
        super().__init__(f"There is no rep {rep_id}. GET /v1/reps lists them.")


@dataclass(slots=True)
class Desk:
    """What is loaded, by id; `changed` holds the ids of what is to be saved."""

    leads: dict[LeadId, KnownLead] = field(default_factory=dict[LeadId, KnownLead])
    deals: dict[DealId, Deal] = field(default_factory=dict[DealId, Deal])
    customers: dict[LeadId, Customer] = field(default_factory=dict[LeadId, Customer])
    reps: dict[RepId, Rep] = field(default_factory=dict[RepId, Rep])
    teams: dict[UUID, Team] = field(default_factory=dict[UUID, Team])
    orders: list[Order] = field(default_factory=list[Order])
    entries: list[Entry] = field(default_factory=list[Entry])
    changed: set[UUID] = field(default_factory=set[UUID])
    _latest_open: dict[LeadId, Deal] = field(default_factory=dict[LeadId, Deal])

    def lead(self, lead_id: LeadId, *, now: datetime) -> KnownLead:
        """Return a lead to be changed; one that nothing was heard of is new, and has no card."""
        self.changed.add(lead_id)
        lead = self.leads.setdefault(lead_id, KnownLead(id=lead_id, created_at=now, updated_at=now))
        lead.updated_at = now
        return lead

    def merge(self, merged: LeadId, *, into: LeadId) -> None:
        """Let the deals of one lead be the other's, and forget what was known of the lead."""
        self.leads.pop(merged, None)
        self._latest_open.pop(merged, None)
        for deal in self.deals.values():
            if deal.lead_id == merged:
                deal.lead_id = into

    def open_deal_of(self, lead_id: LeadId) -> Deal | None:
        """Return the lead's open deal; there is never more than one."""
        deal = self._latest_open.get(lead_id)
        return deal if deal and deal.is_open else None

    def rep(self, rep_id: RepId) -> Rep:
        """Return a rep that somebody named.

        Raises:
            UnknownRep: there is no such rep.
        """
        if rep_id not in self.reps:
            raise UnknownRep(rep_id)
        return self.reps[rep_id]

    def team(self) -> Team:
        """Return the one team that all reps are in."""
        return next(iter(self.teams.values()))

    def lay_down(self, deal: Deal) -> None:
        """Put a deal on the desk, as it was loaded or made."""
        self.deals[deal.id] = deal
        if deal.is_open:
            self._latest_open[deal.lead_id] = deal

    def keep(self, deal: Deal) -> None:
        """See to it that a new or changed deal is saved."""
        self.lay_down(deal)
        self.changed.add(deal.id)

    def note(
        self,
        deal: Deal,
        kind: ActivityKind | Happening,
        *,
        now: datetime,
        occurred_at: datetime | None = None,
        text: str | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> Entry:
        """Add to the deal's timeline, and see to it that the deal is saved."""
        self.keep(deal)
        entry = Entry(
            id=new_id(),
            deal_id=deal.id,
            lead_id=deal.lead_id,
            kind=kind,
            occurred_at=occurred_at or now,
            created_at=now,
            text=text,
            detail=detail or {},
        )
        self.entries.append(entry)
        return entry

    def leave(self, subject: UUID) -> None:
        """Forget what was loaded for one lead or rep: nothing of it may be saved."""
        self.leads.pop(LeadId(subject), None)
        self.customers.pop(LeadId(subject), None)
        self.reps.pop(RepId(subject), None)
        self._latest_open.pop(LeadId(subject), None)
        self.deals = {id_: deal for id_, deal in self.deals.items() if deal.lead_id != subject}
        self.orders = [order for order in self.orders if order.lead_id != subject]
        self.entries = [entry for entry in self.entries if entry.lead_id != subject]
