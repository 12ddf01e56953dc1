"""A deal: one possible sale to one lead, from the handoff to its end.

Holds what may happen to a deal and refuses the rest, by the rules written down in `stage.py`.
Who gets a deal is `routing.py`'s; what the others are told is said by the use cases.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sales_pipeline.domain.money import Money
from sales_pipeline.domain.stage import PAST_CONTACT, Stage, check_move
from shared.ids import DealId, LeadId, RepId


class Outcome(StrEnum):
    """How a deal ended. An open deal has none."""

    WON = "won"
    LOST = "lost"
    RECYCLED = "recycled"
    ERASED = "erased"
    MERGED = "merged"


class DealAlreadyClosed(Exception):
    """The deal has ended, so it can no longer change."""

    def __init__(self, outcome: Outcome) -> None:
        """Say how it ended."""
        super().__init__(f"This deal has ended: it is {outcome}, and can no longer be changed.")


class DealAlreadyAccepted(Exception):
    """Another rep took the deal on."""

    def __init__(self, owner_id: RepId) -> None:
        """Say who has it."""
        super().__init__(
            f"Rep {owner_id} took this deal on. To hand it to somebody else, reassign it."
        )


class AmountIncomplete(Exception):
    """An amount and its currency belong together, and one of them is known nowhere."""

    def __init__(self) -> None:
        """Say what to send."""
        super().__init__("Send amount_minor and currency together: this deal has no amount yet.")


@dataclass(frozen=True, slots=True)
class Flag:
    """A warning on an open deal: its lead is disqualified, `reason` says by what."""

    reason: str
    flagged_at: datetime


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Who took the deal on, and when."""

    rep_id: RepId
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class Closing:
    """How and when the deal ended; `reason` is what sales wrote, or the deal it gave way to."""

    outcome: Outcome
    closed_at: datetime
    reason: str | None = None


@dataclass(slots=True, kw_only=True)
class Deal:
    """One possible sale. `version` counts what people and flags change, a new score does not.

    `opened_for` is the name that the lead had when the deal was opened. It may be an alias by now,
    but all events of a deal go by it, so that they keep their order. `asked_at` is when what led to
    the deal was received from the lead: from then on it waits for somebody to take the deal on.
    """

    id: DealId
    lead_id: LeadId
    opened_for: LeadId
    owner_id: RepId
    score: int
    grade: str
    asked_at: datetime
    created_at: datetime
    updated_at: datetime
    stage: Stage = Stage.NEW
    version: int = 1
    amount: Money | None = None
    expected_close_on: date | None = None
    acceptance: Acceptance | None = None
    flag: Flag | None = None
    closing: Closing | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether the deal can still be worked."""
        return self.closing is None

    def rescore(self, *, score: int, grade: str, now: datetime) -> None:
        """Take on the lead's latest score; nobody's edit is outrun by it."""
        self.score, self.grade, self.updated_at = score, grade, now

    def raise_flag(self, *, reason: str, now: datetime) -> None:
        """Warn that the lead is disqualified."""
        self.flag = Flag(reason=reason, flagged_at=now)
        self._changed(now)

    def lower_flag(self, *, now: datetime) -> None:
        """Take the warning away: the lead qualified again."""
        self.flag = None
        self._changed(now)

    def accept(self, *, rep_id: RepId, now: datetime) -> bool:
        """Let a rep take the deal on, and own it; False: they have it already.

        Raises:
            DealAlreadyClosed: it has ended.
            DealAlreadyAccepted: another rep has it.
        """
        self._must_be_open()
        if self.acceptance and rep_id != self.owner_id:
            raise DealAlreadyAccepted(self.owner_id)
        if self.acceptance:
            return False
        self.owner_id = rep_id
        self.acceptance = Acceptance(rep_id=rep_id, accepted_at=now)
        self._changed(now)
        return True

    def move(self, *, to: Stage, now: datetime) -> bool:
        """Go to another stage; False: it stands there already.

        Raises:
            DealAlreadyClosed: it has ended.
            IllegalStageMove: the table of moves does not allow it.
        """
        self._must_be_open()
        if to is self.stage:
            return False
        check_move(stage=self.stage, to=to)
        self.stage = to
        self._changed(now)
        return True

    def needs_acceptance_for(self, to: Stage) -> bool:
        """Tell whether going to a stage takes the deal on."""
        return self.acceptance is None and to in PAST_CONTACT | {Stage.WON}

    def reassign(self, *, owner_id: RepId, now: datetime) -> bool:
        """Give the deal another owner; False: they own it already.

        Raises:
            DealAlreadyClosed: it has ended.
        """
        self._must_be_open()
        if owner_id == self.owner_id:
            return False
        self.owner_id = owner_id
        self._changed(now)
        return True

    def expect(self, *, amount: Money | None, close_on: date | None, now: datetime) -> bool:
        """Write down what the sale may bring, and when; False: that is known already.

        Raises:
            DealAlreadyClosed: it has ended.
        """
        self._must_be_open()
        if (amount, close_on) == (self.amount, self.expected_close_on):
            return False
        self.amount, self.expected_close_on = amount, close_on
        self._changed(now)
        return True

    def win(self, *, amount: Money, now: datetime) -> None:
        """End the deal by a sale.

        Raises:
            DealAlreadyClosed: it has ended.
        """
        self._close(Closing(outcome=Outcome.WON, closed_at=now))
        self.stage, self.amount = Stage.WON, amount

    def lose(self, *, reason: str, now: datetime) -> None:
        """End the deal without a sale.

        Raises:
            DealAlreadyClosed: it has ended.
        """
        self._close(Closing(outcome=Outcome.LOST, closed_at=now, reason=reason))
        self.stage = Stage.LOST

    def recycle(self, *, reason: str, now: datetime) -> None:
        """Give the lead back to marketing: ends the deal, which keeps its stage.

        Raises:
            DealAlreadyClosed: it has ended.
        """
        self._close(Closing(outcome=Outcome.RECYCLED, closed_at=now, reason=reason))

    def give_way(self, *, to: DealId, now: datetime) -> None:
        """End in favour of another open deal of the same person; the stage stays.

        Raises:
            DealAlreadyClosed: it has ended.
        """
        self._close(Closing(outcome=Outcome.MERGED, closed_at=now, reason=str(to)))

    def progress(self) -> tuple[int, bool, float]:
        """Return how far the deal has come, to compare two: stage, taken on or not, then age."""
        stage = list(Stage).index(self.stage)
        return stage, self.acceptance is not None, -self.created_at.timestamp()

    def _close(self, closing: Closing) -> None:
        self._must_be_open()
        self.closing = closing
        self._changed(closing.closed_at)

    def _must_be_open(self) -> None:
        if self.closing:
            raise DealAlreadyClosed(self.closing.outcome)

    def _changed(self, now: datetime) -> None:
        self.version += 1
        self.updated_at = now
