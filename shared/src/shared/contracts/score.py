"""What lead-scoring says, on `handoff.scores.v1`: the score of a lead, and whether it qualifies.

Crossing the threshold is said by `LeadQualified` alone: it holds the score.
"""

from typing import ClassVar
from uuid import UUID

from shared.contracts.event import LeadEvent, Moment, Record
from shared.contracts.lead import LeadCard


class Entry(Record):
    """One reason for a score: the points, the rule's code and text, the event that gave them.

    `group` is `fit`, `engagement` or `clamp` (what bringing the sum into 0 to 100 took or gave).
    """

    code: str
    text: str
    points: int
    group: str
    event_id: UUID


class Score(Record):
    """A score of 0 to 100 that its entries add up to, and its grade, A1 to D4."""

    score: int
    grade: str
    fit: int
    engagement: int
    scorecard_id: UUID
    scorecard_version: int
    threshold: int
    entries: tuple[Entry, ...]


class LeadScored(LeadEvent):
    """The score of a lead changed, and its qualification did not."""

    kind: ClassVar[str] = "lead.scored"

    score: Score


class LeadQualified(LeadEvent):
    """Marketing hands the lead over (MQL): the score crossed the threshold, nothing forbids it."""

    kind: ClassVar[str] = "lead.qualified"

    lead: LeadCard
    score: Score
    qualified_at: Moment


class LeadDisqualified(LeadEvent):
    """A qualified lead may no longer be worked. `reason`: `consent_withdrawn` or `unreachable`."""

    kind: ClassVar[str] = "lead.disqualified"

    reason: str
    disqualified_at: Moment
