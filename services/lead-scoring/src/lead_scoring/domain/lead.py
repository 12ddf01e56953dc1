"""A lead as scoring knows it: its card, what it earned, its rating, and whether sales has it.

Qualification goes open, qualified, and then recycled, lost, won or disqualified. The order in which
topics are heard is not given, so ends and engagements are kept with the times at which they
happened, and compared whichever of the two comes last. After a merge a lead may have two deals for
a while: it is with sales until the last of them has ended.
"""

from collections.abc import Iterable
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
_HANDED_OVER = (Qualification.QUALIFIED, Qualification.DISQUALIFIED)
_FREE_TO_QUALIFY = frozenset({Qualification.OPEN, Qualification.DISQUALIFIED})
_AFTER_NEW_INTEREST = frozenset({Qualification.RECYCLED, Qualification.LOST})


@dataclass(slots=True, kw_only=True)
class Lead:
    """What scoring knows of one lead. A touchpoint may be heard before there is a card.

    `scorecard_id` is the version that gave `earned`. `reason` is why qualifying is blocked, or why
    the lead is disqualified. `ended_at` is when the latest deal ended, and `ended_as` how;
    `engaged_at` is when the person last showed interest: both when it happened, not when it was
    heard. `deals` are those that are open.
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
    ended_as: Qualification | None = None
    deals: frozenset[UUID] = frozenset()

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

    def start_over(self, *, card: Scorecard, history: Iterable[Touchpoint]) -> None:
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

    def opened(self, deal_id: UUID) -> None:
        """A deal is open. One that follows an end which was heard too late counts as before it."""
        self.deals |= {deal_id}
        if self.qualification in ENDED:
            self.qualification = Qualification.QUALIFIED

    def ended(self, deal_id: UUID, *, how: Qualification, at: datetime) -> None:
        """A deal ended; `at` is when sales ended it. The lead's end is that of its last deal."""
        if self.ended_at is None or at >= self.ended_at:
            self.ended_as, self.ended_at = how, at
        self.deals -= {deal_id}
        if not self.deals and self.ended_as:
            self.qualification = self.ended_as

    def gave_way(self, deal_id: UUID) -> None:
        """A deal ended in favour of another: if that one's end was heard before, it counts now."""
        self.deals -= {deal_id}
        last, since = self.ended_at, self.qualified_at
        if not self.deals and self.ended_as and last and since and last > since:
            self.qualification = self.ended_as

    def take_over(self, other: "Lead", *, history: Iterable[Touchpoint], card: Scorecard) -> None:
        """Become the one lead of two: what both did, scored as one.

        What sales still has counts first, then the later end. A cause that disqualified one of
        them may not hold for the person: that is settled afterwards.
        """
        self.start_over(card=card, history=history)
        self.engaged_at = _later(self.engaged_at, other.engaged_at)
        self.qualified_at = _later(self.qualified_at, other.qualified_at)
        self.created_at = min(self.created_at, other.created_at)
        self.deals |= other.deals
        if other.ended_at and other.ended_at == _later(self.ended_at, other.ended_at):
            self.ended_as, self.ended_at = other.ended_as, other.ended_at
        both = {self.qualification, other.qualification}
        handed_over = [state for state in _HANDED_OVER if state in both]
        self.qualification = next(iter(handed_over), self.ended_as or Qualification.OPEN)

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


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((moment for moment in (one, other) if moment), default=None)
