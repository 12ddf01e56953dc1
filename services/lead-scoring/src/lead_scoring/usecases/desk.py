"""The desk: what the edge has locked and loaded for a batch, and what is to be saved of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from lead_scoring.domain.lead import Lead
from lead_scoring.domain.rating import Touchpoint
from lead_scoring.domain.scorecard import Scorecard


@dataclass(slots=True)
class Desk:
    """The active scorecard, and the leads at hand.

    `changed` are the leads to save; `heard` are the touchpoints to keep, so that another scorecard
    can be applied to them later. `history` holds those kept before, of leads that merge.
    """

    scorecard: Scorecard
    leads: dict[UUID, Lead] = field(default_factory=dict[UUID, Lead])
    changed: set[UUID] = field(default_factory=set[UUID])
    heard: dict[UUID, list[Touchpoint]] = field(default_factory=dict[UUID, list[Touchpoint]])
    history: dict[UUID, list[Touchpoint]] = field(default_factory=dict[UUID, list[Touchpoint]])

    def take(self, lead_id: UUID, *, now: datetime) -> Lead:
        """Return a lead to be changed, a new one where nothing is known of it."""
        if lead_id not in self.leads:
            self.leads[lead_id] = Lead(
                id=lead_id,
                scorecard_id=self.scorecard.id,
                scorecard_version=self.scorecard.version or 0,
                created_at=now,
                updated_at=now,
            )
        self.changed.add(lead_id)
        self.leads[lead_id].updated_at = now
        return self.leads[lead_id]

    def keep(self, lead_id: UUID, touchpoint: Touchpoint) -> None:
        """Remember to store a touchpoint."""
        self.heard.setdefault(lead_id, []).append(touchpoint)

    def merge(self, merged: UUID, *, into: UUID) -> None:
        """Let all that is kept of one lead be the other's."""
        self.leads.pop(merged, None)
        self.changed.discard(merged)
        for kept in (self.heard, self.history):
            kept.setdefault(into, []).extend(kept.pop(merged, []))

    def history_of(self, lead_id: UUID) -> list[Touchpoint]:
        """Return what a lead did, in the order in which it occurred."""
        everything = [*self.history.get(lead_id, []), *self.heard.get(lead_id, [])]
        return sorted(everything, key=lambda each: (each.occurred_at, each.event_id))

    def leave(self, subject: UUID) -> None:
        """Forget one lead: its use case failed, so nothing of it may be saved."""
        self.leads.pop(subject, None)
        self.heard.pop(subject, None)
        self.changed.discard(subject)

    def to_save(self) -> list[Lead]:
        """Return the leads that changed."""
        return [self.leads[lead_id] for lead_id in sorted(self.changed)]

    def to_keep(self) -> Iterator[tuple[UUID, Touchpoint]]:
        """Go through the new touchpoints, each lead's in the order in which they were heard."""
        for lead_id, touchpoints in self.heard.items():
            for touchpoint in touchpoints:
                yield lead_id, touchpoint
