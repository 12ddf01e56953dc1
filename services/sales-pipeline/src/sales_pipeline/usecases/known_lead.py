"""A lead as the pipeline knows it: the card, and what scoring said last under each of its names.

Nothing of it depends on what was heard first, so that every order ends alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from shared.aliases import Alias, is_about
from shared.contracts.lead import LeadCard
from shared.ids import LeadId


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What scoring says of a lead: under which name, and how much of the lead it knew then."""

    said_of: LeadId
    lead_version: int


@dataclass(frozen=True, slots=True)
class Scored:
    """A score, and the version of the lead that it was given to."""

    lead_version: int
    score: int
    grade: str


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether a lead may be worked; `disqualified` says why not."""

    lead_version: int
    disqualified: str | None


Said = TypeVar("Said", Scored, Judged)


@dataclass(slots=True, kw_only=True)
class KnownLead:
    """A lead: the card in the highest version that was heard, and scoring's last words by name.

    One name has them in order. Leads that merged have several, and scoring may have heard of a
    merge long before the pipeline does, or after: so each name's last words are kept.
    """

    id: LeadId
    created_at: datetime
    updated_at: datetime
    version: int = 0
    card: LeadCard = field(default_factory=LeadCard)
    aliases: dict[LeadId, Alias] = field(default_factory=dict[LeadId, Alias])
    scores: dict[LeadId, Scored] = field(default_factory=dict[LeadId, Scored])
    judgements: dict[LeadId, Judged] = field(default_factory=dict[LeadId, Judged])

    def take_over(self, other: "KnownLead", *, alias: LeadId, survivor: Alias) -> None:
        """Become the one lead of two: what was said of either is kept."""
        self.aliases = {**self.aliases, **other.aliases, alias: survivor}
        self.scores = {**self.scores, **other.scores}
        self.judgements = {**self.judgements, **other.judgements}

    def score_for(self, name: LeadId) -> Scored | None:
        """Return the last score that is about what was opened for a name."""
        return self._last(self.scores, name)

    def judgement_for(self, name: LeadId) -> Judged | None:
        """Return the last judgement that is about what was opened for a name."""
        return self._last(self.judgements, name)

    def _last(self, said: Mapping[LeadId, Said], name: LeadId) -> Said | None:
        about_it = [
            each
            for said_of, each in said.items()
            if is_about(name, said_of=said_of, version=each.lead_version, aliases=self.aliases)
        ]
        return max(about_it, key=lambda each: each.lead_version, default=None)
