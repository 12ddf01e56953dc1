"""A task: one thing that a person must do by a time, from its making to its end.

Holds what may happen to a task and refuses the rest. Who makes tasks, and when, is decided by
playbooks; what is said of one is said by the use cases.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from notifier.domain.playbook import Role
from shared.ids import DealId, LeadId, RepId, TaskId

FURTHEST = timedelta(days=366)
"""How far ahead a task can be snoozed."""


class State(StrEnum):
    """Where a task stands. It leaves the last two no more."""

    OPEN = "open"
    DUE = "due"
    OVERDUE = "overdue"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


UNFINISHED = frozenset({State.OPEN, State.DUE, State.OVERDUE})


class Cause(StrEnum):
    """Why a task was cancelled."""

    DEAL_CLOSED = "deal_closed"
    LEAD_DISQUALIFIED = "lead_disqualified"
    LEAD_ERASED = "lead_erased"


class CompletedTaskStaysCompleted(Exception):
    """Somebody did it: nothing about it can be changed any more."""

    def __init__(self) -> None:
        """Say so to whoever asked."""
        super().__init__("This task is completed, and can no longer be changed.")


class CancelledTaskStaysCancelled(Exception):
    """It need not be done any more, for good."""

    def __init__(self, cause: Cause | None) -> None:
        """Say why it was cancelled."""
        super().__init__(f"This task is cancelled ({cause}), and can no longer be changed.")


class BadSnooze(Exception):
    """A snooze to a time that cannot be waited for."""

    def __init__(self, advice: str) -> None:
        """Say what to send."""
        super().__init__(advice)


@dataclass(slots=True, kw_only=True)
class Task:
    """One thing to do. `next_at` is when something next happens by itself, None: nothing more.

    `informed_by` is taken from the trigger: it tells whether a later word of scoring is about
    a time before this task or after it. `opened_for` is the name by which the deal's events go, the
    lead's own or an alias; what is said of the task goes by it too.
    """

    id: TaskId
    playbook_id: UUID
    playbook: str
    trigger_event_id: UUID
    informed_by: UUID
    lead_id: LeadId
    opened_for: LeadId
    deal_id: DealId
    owner_id: RepId | None
    role: Role
    kind: str
    title: str
    due_at: datetime
    grace: timedelta
    created_at: datetime
    updated_at: datetime
    state: State = State.OPEN
    next_at: datetime | None = None
    finished_at: datetime | None = None
    cause: Cause | None = None
    version: int = 1

    @property
    def is_unfinished(self) -> bool:
        """Tell whether there is still something to do."""
        return self.state in UNFINISHED

    def ring(self, *, now: datetime) -> list[State]:
        """Let time pass; return the states that the task came into, each once per due time."""
        reached: list[State] = []
        while self.next_at and self.next_at <= now:
            if self.state is State.OPEN:
                self.state, self.next_at = State.DUE, self.due_at + self.grace
            else:
                self.state, self.next_at = State.OVERDUE, None
            reached.append(self.state)
        if reached:
            self._touch(now)
        return reached

    def complete(self, *, now: datetime) -> bool:
        """Note that somebody did it; False: that was known already.

        Raises:
            CancelledTaskStaysCancelled: it was cancelled.
        """
        if self.state is State.COMPLETED:
            return False
        self._finish(State.COMPLETED, now=now)
        return True

    def snooze(self, *, until: datetime, now: datetime) -> bool:
        """Wait until another time, at which the task can be due again; False: it does already.

        Raises:
            CompletedTaskStaysCompleted: it is done.
            CancelledTaskStaysCancelled: it was cancelled.
            BadSnooze: the time is past, or too far away.
        """
        self._refuse_if_finished()
        if until <= now:
            raise BadSnooze("This time is past: send a later one.")
        if until > now + FURTHEST:
            raise BadSnooze(f"This is too far away: send a time within {FURTHEST.days} days.")
        if until == self.due_at:
            return False
        self.state, self.due_at, self.next_at = State.OPEN, until, until
        self._touch(now)
        return True

    def reassign(self, *, owner_id: RepId, now: datetime) -> bool:
        """Give the task to a rep; False: that rep has it already.

        Raises:
            CompletedTaskStaysCompleted: it is done.
            CancelledTaskStaysCancelled: it was cancelled.
        """
        self._refuse_if_finished()
        if self.owner_id == owner_id:
            return False
        self.owner_id = owner_id
        self._touch(now)
        return True

    def cancel(self, *, cause: Cause, now: datetime) -> None:
        """Note that it need not be done any more.

        Raises:
            CompletedTaskStaysCompleted: it is done.
            CancelledTaskStaysCancelled: it was cancelled.
        """
        self._finish(State.CANCELLED, now=now)
        self.cause = cause

    def _finish(self, state: State, *, now: datetime) -> None:
        self._refuse_if_finished()
        self.state, self.next_at, self.finished_at = state, None, now
        self._touch(now)

    def _refuse_if_finished(self) -> None:
        if self.state is State.COMPLETED:
            raise CompletedTaskStaysCompleted
        if self.state is State.CANCELLED:
            raise CancelledTaskStaysCancelled(self.cause)

    def _touch(self, now: datetime) -> None:
        self.version += 1
        self.updated_at = now
