"""A lead: a person who may buy, as marketing knows them, and since when each thing is known.

Who a submission belongs to is `identity`'s question; this decides what it changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.ids import LeadId


class LeadNotFound(LookupError):
    """No lead has this id, or the person was erased."""


class LeadMergedIntoItself(Exception):
    """The two leads are one already, under the same name."""

    def __init__(self) -> None:
        """Say what to send."""
        super().__init__("A lead cannot be merged into itself: send the id of another one in into.")


class LeadAlreadyMerged(Exception):
    """The lead is an alias of another one than it is to be merged into."""

    def __init__(self, lead_id: LeadId) -> None:
        """Name whom it became."""
        super().__init__(f"This lead was merged into {lead_id}: merge that one instead.")


class LeadIsErased(Exception):
    """One of the two was erased: nothing of that person can be given to another."""

    def __init__(self, lead_id: LeadId) -> None:
        """Say which."""
        super().__init__(f"Lead {lead_id} was erased, and cannot be merged.")


@dataclass(frozen=True, slots=True)
class Stamped:
    """A field's text, and when the submission that said so was received."""

    text: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class ConsentHeld:
    """What a person allows or refuses for one purpose, and when we were told."""

    purpose: str
    granted: bool
    occurred_at: datetime
    received_at: datetime
    text: str | None = None


@dataclass(slots=True)
class Lead:
    """A person; every change makes the version one higher."""

    id: LeadId
    created_at: datetime
    updated_at: datetime
    version: int = 0
    fields: dict[str, Stamped] = field(default_factory=dict[str, Stamped])
    consents: dict[str, ConsentHeld] = field(default_factory=dict[str, ConsentHeld])
    erased_at: datetime | None = None
    merged_into: LeadId | None = None

    def text(self, name: str) -> str | None:
        """Return a field's text, if it was ever said."""
        known = self.fields.get(name)
        return known.text if known else None

    def learn(self, said: Mapping[str, str], *, received_at: datetime) -> None:
        """Take on fields: each belongs to what was received last, not to what resolves last."""
        for name, text in said.items():
            known = self.fields.get(name)
            if known is None or received_at >= known.received_at:
                self.fields[name] = Stamped(text, received_at)

    def consent(self, consent: ConsentHeld) -> None:
        """Take on a consent, unless a later one for its purpose was received already."""
        known = self.consents.get(consent.purpose)
        if known is None or consent.received_at >= known.received_at:
            self.consents[consent.purpose] = consent

    def change(self, *, now: datetime) -> None:
        """Mark a change: other services go by the version."""
        self.version += 1
        self.updated_at = now

    def take_over(self, other: "Lead", *, now: datetime) -> None:
        """Become the one lead of two, with what was received last of each thing.

        The version rises above both, so that no card of before wins over this one.
        """
        for name, known in other.fields.items():
            mine = self.fields.get(name)
            if mine is None or known.received_at > mine.received_at:
                self.fields[name] = known
        for consent in other.consents.values():
            held = self.consents.get(consent.purpose)
            if held is None or consent.received_at > held.received_at:
                self.consents[consent.purpose] = consent
        self.version = max(self.version, other.version)
        self.change(now=now)
        other.fields.clear()
        other.consents.clear()
        other.merged_into, other.version, other.updated_at = self.id, self.version, now

    def erase(self, *, now: datetime) -> None:
        """Forget the person; the id and the version stay, so that nothing brings them back."""
        self.fields.clear()
        self.consents.clear()
        self.erased_at = now
        self.change(now=now)
