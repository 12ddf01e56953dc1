"""The life of a task: due and overdue once per due time, and an end that stays."""

from datetime import timedelta

import pytest
from tests.unit.notifier.making import DAY, HOUR, NOW, a_task

from notifier.domain.task import (
    BadSnooze,
    CancelledTaskStaysCancelled,
    Cause,
    CompletedTaskStaysCompleted,
    State,
)
from shared.ids import RepId, new_id

MOMENT = timedelta(microseconds=1)


class TestRing:
    def test_waits_until_the_due_time(self) -> None:
        task = a_task(due_at=NOW + HOUR)

        assert task.ring(now=NOW + HOUR - MOMENT) == []
        assert task.state is State.OPEN

    def test_is_due_at_its_time_and_overdue_after_its_grace(self) -> None:
        task = a_task(due_at=NOW + HOUR, grace=DAY)

        assert task.ring(now=NOW + HOUR) == [State.DUE]
        assert task.ring(now=NOW + HOUR + DAY - MOMENT) == []
        assert task.ring(now=NOW + HOUR + DAY) == [State.OVERDUE]
        assert task.ring(now=NOW + 99 * DAY) == []

    def test_says_both_in_order_after_a_standstill(self) -> None:
        task = a_task(due_at=NOW + HOUR, grace=HOUR)

        assert task.ring(now=NOW + DAY) == [State.DUE, State.OVERDUE]
        assert task.next_at is None

    def test_is_over_once_the_task_is_done(self) -> None:
        task = a_task(due_at=NOW + HOUR)
        task.complete(now=NOW)

        assert task.ring(now=NOW + DAY) == []


class TestSnooze:
    def test_makes_a_new_due_time_that_can_be_due_and_overdue_again(self) -> None:
        task = a_task(due_at=NOW, grace=HOUR)
        task.ring(now=NOW + HOUR)
        task.snooze(until=NOW + DAY, now=NOW + HOUR)

        assert task.state is State.OPEN
        assert task.ring(now=NOW + DAY - MOMENT) == []
        assert task.ring(now=NOW + DAY + HOUR) == [State.DUE, State.OVERDUE]

    def test_to_the_same_time_changes_nothing(self) -> None:
        task = a_task(due_at=NOW + HOUR)

        assert task.snooze(until=NOW + HOUR, now=NOW) is False
        assert task.version == 1

    @pytest.mark.parametrize("until", [NOW - HOUR, NOW, NOW + 367 * DAY])
    def test_to_a_time_that_cannot_be_waited_for_is_refused(self, until: object) -> None:
        with pytest.raises(BadSnooze):
            a_task().snooze(until=until, now=NOW)


class TestComplete:
    def test_again_changes_nothing(self) -> None:
        task = a_task()

        assert task.complete(now=NOW) is True
        assert task.complete(now=NOW + HOUR) is False
        assert (task.version, task.finished_at) == (2, NOW)

    def test_a_cancelled_task_stays_cancelled(self) -> None:
        task = a_task()
        task.cancel(cause=Cause.DEAL_CLOSED, now=NOW)

        with pytest.raises(CancelledTaskStaysCancelled, match="deal_closed"):
            task.complete(now=NOW)


class TestAFinishedTask:
    def test_can_be_neither_snoozed_nor_reassigned_nor_cancelled(self) -> None:
        task = a_task()
        task.complete(now=NOW)

        with pytest.raises(CompletedTaskStaysCompleted):
            task.snooze(until=NOW + DAY, now=NOW)
        with pytest.raises(CompletedTaskStaysCompleted):
            task.reassign(owner_id=RepId(new_id()), now=NOW)
        with pytest.raises(CompletedTaskStaysCompleted):
            task.cancel(cause=Cause.DEAL_CLOSED, now=NOW)


class TestReassign:
    def test_gives_it_to_somebody_else_and_counts_the_change(self) -> None:
        task, other = a_task(), RepId(new_id())

        assert task.reassign(owner_id=other, now=NOW) is True
        assert task.reassign(owner_id=other, now=NOW) is False
        assert (task.owner_id, task.version) == (other, 2)
