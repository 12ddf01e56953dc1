"""The desk: what the edge has locked and loaded, and what use cases change on it.

For one lead or for five hundred. Loading and saving it is `adapters`' work.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from marketing_intake.domain.erasure import Trace
from marketing_intake.domain.identity import Identities
from marketing_intake.domain.lead import ConsentHeld, Lead, LeadNotFound
from marketing_intake.domain.submission import Resolution, Sighting
from shared.contracts.lead import Touchpoint
from shared.ids import LeadId


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """A consent as evidence: who said it, what, when, and in which submission."""

    lead_id: LeadId
    consent: ConsentHeld
    submission_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class TouchpointRecord:
    """A touchpoint and whose it is; `submission_id` where a submission made it."""

    lead_id: LeadId
    touchpoint: Touchpoint
    submission_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two leads that may be one person: somebody has to look."""

    lead_id: LeadId
    like_id: LeadId


@dataclass(slots=True)
class Desk:
    """Leads, who is known by what, and the rows that are to be written."""

    leads: dict[LeadId, Lead] = field(default_factory=dict[LeadId, Lead])
    identities: Identities = field(default_factory=Identities)
    erased: dict[Trace, datetime] = field(default_factory=dict[Trace, datetime])
    sightings: dict[tuple[UUID, bytes], list[Sighting]] = field(
        default_factory=dict[tuple[UUID, bytes], list[Sighting]]
    )
    emails: dict[LeadId, list[str]] = field(default_factory=dict[LeadId, list[str]])
    phones: dict[LeadId, list[str]] = field(default_factory=dict[LeadId, list[str]])
    aliases: dict[LeadId, list[LeadId]] = field(default_factory=dict[LeadId, list[LeadId]])

    dirty: set[LeadId] = field(default_factory=set[LeadId])
    touchpoints: list[TouchpointRecord] = field(default_factory=list[TouchpointRecord])
    consents: list[ConsentRecord] = field(default_factory=list[ConsentRecord])
    shown: set[tuple[str, LeadId]] = field(default_factory=set[tuple[str, LeadId]])
    known: dict[str, LeadId] = field(default_factory=dict[str, LeadId])
    suggestions: list[Suggestion] = field(default_factory=list[Suggestion])
    resolutions: list[Resolution] = field(default_factory=list[Resolution])
    erasures: dict[LeadId, list[Trace]] = field(default_factory=dict[LeadId, list[Trace]])

    def names_of(self, lead_id: LeadId) -> list[LeadId]:
        """Return the name of a lead that lies here, and those that became it."""
        return [lead_id, *self.aliases.get(lead_id, ())]

    def lead(self, lead_id: LeadId) -> Lead:
        """Return a lead that is not erased.

        Raises:
            LeadNotFound: there is none.
        """
        lead = self.leads.get(lead_id)
        if lead is None or lead.erased_at is not None:
            raise LeadNotFound(f"no lead has the id {lead_id}")
        return lead

    def identify(self, lead_id: LeadId, *, email: str | None, phone: str | None) -> None:
        """Note that a lead showed this e-mail and phone, for those who come after, and to save."""
        if email is not None and email not in self.identities.by_email:
            self.known[email] = lead_id
        if phone is not None and lead_id not in self.identities.by_phone.get(phone, []):
            self.shown.add((phone, lead_id))
        self.identities.learn(lead_id, email=email, phone=phone)
