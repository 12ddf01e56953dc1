"""Merged leads in a batch: which names are one lead, before and after the merges that it holds.

What befalls one name of a lead befalls all of them: they fail together, wait together, and are
erased together. The alias itself is written by `subjects.merge`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from shared.contracts import catalogue
from shared.contracts.lead import LeadMerged
from shared.messaging.heard import Heard
from shared.messaging.records import Delivery
from shared.messaging.stream import Streams


class NotLocked(Exception):
    """A merge that waited names leads that the batch did not lock: start over, with them."""

    def __init__(self, names: set[UUID]) -> None:
        """Say which."""
        super().__init__(f"{len(names)} more leads are to be locked")
        self.names = names


def merge_in(delivery: Delivery) -> LeadMerged | None:
    """Return the merge that a delivery tells of; None where it is another event, or unreadable."""
    if delivery.envelope.kind != LeadMerged.kind or delivery.envelope.blank:
        return None
    try:
        event = catalogue.read(delivery.envelope)
    except (catalogue.Unreadable, catalogue.UnknownVersion):
        return None
    return event if isinstance(event, LeadMerged) else None


def named(deliveries: Iterable[Delivery]) -> set[UUID]:
    """Return every lead that merges among the deliveries name."""
    merges = filter(None, map(merge_in, deliveries))
    return {name for merge in merges for name in (merge.merged_id, merge.surviving_id)}


def unite(streams: Mapping[UUID, Streams], merge: LeadMerged) -> None:
    """Give two leads one standing from here on: parked or erased as either was.

    Raises:
        NotLocked: one of the leads is not among those that were locked.
    """
    if missing := {merge.merged_id, merge.surviving_id} - streams.keys():
        raise NotLocked(missing)
    gone = streams[merge.merged_id].standing
    stays = streams[merge.surviving_id].standing
    if gone is stays:
        return
    stays.parked_as = stays.parked_as or gone.parked_as
    stays.erased = stays.erased or gone.erased
    for known in streams.values():
        if known.standing is gone:
            known.standing = stays


def same_lead(streams: Mapping[UUID, Streams], name: UUID) -> set[UUID]:
    """Return all names of the lead that has this one."""
    standing = streams[name].standing
    return {other for other, known in streams.items() if known.standing is standing}


@dataclass(slots=True)
class Became:
    """What the leads of a batch have become by the merges that were applied so far."""

    _into: dict[UUID, UUID] = field(default_factory=dict[UUID, UUID])

    def note(self, heard: Heard[Any]) -> None:
        """Keep that one lead is an alias of the other now, if that is what was heard."""
        if heard.merged is not None:
            self._into[heard.merged] = heard.subject

    def heard(self, heard: Heard[Any]) -> Heard[Any]:
        """Return an event as one of whom its leads are by now."""
        if not self._into:
            return heard
        merged = heard.merged and self.now(heard.merged)
        return replace(heard, subject=self.now(heard.subject), merged=merged)

    def now(self, subject: UUID) -> UUID:
        """Return what a lead is by now."""
        while subject in self._into:
            subject = self._into[subject]
        return subject

    def without(self, subjects: Collection[UUID]) -> list[tuple[UUID, UUID]]:
        """Return who is to be moved to whom, in one step each; leads that failed are left out."""
        return [(merged, self.now(merged)) for merged in self._into if merged not in subjects]
