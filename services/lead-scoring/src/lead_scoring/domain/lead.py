"""A lead as scoring knows it: its card, what it earned, its rating, and whether sales has it.

Qualification goes open, qualified, and then recycled, lost, won or disqualified. The order in which
topics are heard is not given, so ends and engagements are kept with the times at which they
happened, and compared whichever of the two comes last.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from lead_scoring.domain.person import Block, Person
from lead_scoring.domain.rating import Entry, Rating, Touchpoint, earn, engages, rate
from lead_scoring.domain.scorecard import Rulebook, Scorecard


class Qualification(StrEnum):
    """Whether sales has the lead, or how that ended."""

    OPEN = "open"
    QUALIFIED = "qualified"
    RECYCLED = "recycled"
    LOST = "lost"
    WON = "won"
    DISQUALIFIED = "disqualified"


ENDED = frozenset({Qualification.RECYCLED, Qualification.LOST, Qualification.WON})
_FREE_TO_QUALIFY = frozenset({Qualification.OPEN, Qualification.DISQUALIFIED})
_AFTER_NEW_INTEREST = frozenset({Qualification.RECYCLED, Qualification.LOST})


@dataclass(slots=True, kw_only=True)
class Lead:
    """What scoring knows of one lead. A touchpoint may be heard before there is a card.

    `scorecard_id` is the version that gave `earned`. `reason` is why qualifying is blocked, or why
    the lead is disqualified. `ended_at` is when the latest deal ended, `engaged_at` when the person
    last showed interest: both when it happened, not when it was heard.
    """

    id: UUID
    scorecard_id: UUID
    scorecard_version: int
    created_at: datetime
    updated_at: datetime
    version: int = 0
    person: Person | None = None
    touchpoints: int = 0
    earned: tuple[Entry, ...] = ()
    rating: Rating | None = None
    qualification: Qualification = Qualification.OPEN
    reason: Block | None = None
    engaged_at: datetime | None = None
    qualified_at: datetime | None = None
    ended_at: datetime | None = None

    def learn(self, *, person: Person, version: int) -> None:
        """Take on a card, unless a newer one is known already."""
        if self.person is None or version > self.version:
            self.person, self.version = person, version

    def touch(self, *, touchpoint: Touchpoint, book: Rulebook) -> None:
        """Count one contact: the points it earns, and the interest it shows."""
        interested = engages(book, touchpoint=touchpoint, before=self.touchpoints)
        self._earn(touchpoint, book)
        if interested:
            moments = (self.engaged_at, touchpoint.occurred_at)
            self.engaged_at = max(moment for moment in moments if moment)

    def start_over(self, *, card: Scorecard, history: list[Touchpoint]) -> None:
        """Earn anew by another scorecard what the touchpoints of before are worth."""
        self.scorecard_id, self.scorecard_version = card.id, card.version or 0
        self.earned, self.touchpoints = (), 0
        for touchpoint in history:
            self._earn(touchpoint, card.book)

    def rate(self, *, book: Rulebook, event_id: UUID) -> bool:
        """Score the lead; tell whether that changed anything. Without a card there is no score."""
        if self.person is None:
            return False
        before, previous = self.rating, self.rating.entries if self.rating else ()
        self.rating = rate(
            book, person=self.person, earned=self.earned, previous=previous, event_id=event_id
        )
        return self.rating != before

    def opened(self) -> None:
        """A deal is open. One that follows an end which was heard too late counts as before it."""
        if self.qualification in ENDED:
            self.qualification = Qualification.QUALIFIED

    def ended(self, *, how: Qualification, at: datetime) -> None:
        """The deal ended; `at` is when sales ended it."""
        self.qualification, self.ended_at = how, at

    def settle(self, *, threshold: int, now: datetime) -> Qualification | None:
        """Qualify or disqualify where that is due; return the new state, None: it stays."""
        self.reason = self.person.block() if self.person else None
        if self.qualification is Qualification.QUALIFIED and self.reason:
            self.qualification = Qualification.DISQUALIFIED
            return self.qualification
        if self.reason is None and self._crosses(threshold) and self._may_qualify():
            self.qualification, self.qualified_at = Qualification.QUALIFIED, now
            return self.qualification
        return None

    def _earn(self, touchpoint: Touchpoint, book: Rulebook) -> None:
        self.earned = earn(book, earned=self.earned, touchpoint=touchpoint, before=self.touchpoints)
        self.touchpoints += 1

    def _crosses(self, threshold: int) -> bool:
        return self.rating is not None and self.rating.score >= threshold

    def _may_qualify(self) -> bool:
        if self.qualification in _AFTER_NEW_INTEREST:
            return bool(self.engaged_at and self.ended_at and self.engaged_at > self.ended_at)
        return self.qualification in _FREE_TO_QUALIFY
