"""Who is it: the one rule by which a submission finds its lead.

An e-mail is one person's; a phone may be a family's or a switchboard's, so it counts only while
one lead alone has shown it. Nothing merges by itself: doubt makes a new lead and a suggestion.
"""

from dataclasses import dataclass, field

from shared.ids import LeadId

MAX_SUGGESTED = 5


@dataclass(frozen=True, slots=True)
class Match:
    """The lead that a submission belongs to; if there is none, who the new one may be."""

    lead_id: LeadId | None
    suggested: tuple[LeadId, ...] = ()


@dataclass(slots=True)
class Identities:
    """Who is known by which e-mail, who ever showed which phone, and who has an e-mail."""

    by_email: dict[str, LeadId] = field(default_factory=dict[str, LeadId])
    by_phone: dict[str, list[LeadId]] = field(default_factory=dict[str, list[LeadId]])
    with_email: set[LeadId] = field(default_factory=set[LeadId])

    def find(self, *, email: str | None, phone: str | None) -> Match:
        """Return the lead with this e-mail or phone, by the rule above."""
        if email is not None and email in self.by_email:
            return Match(self.by_email[email])
        holders = self.by_phone.get(phone, []) if phone else []
        if len(holders) == 1 and (email is None or holders[0] not in self.with_email):
            return Match(holders[0])
        return Match(None, tuple(holders[:MAX_SUGGESTED]))

    def learn(self, lead_id: LeadId, *, email: str | None, phone: str | None) -> None:
        """Remember that a lead showed this e-mail and this phone."""
        if email is not None:
            self.by_email[email] = lead_id
            self.with_email.add(lead_id)
        if phone is not None:
            holders = self.by_phone.setdefault(phone, [])
            if lead_id not in holders:
                holders.append(lead_id)
