"""People complete, snooze and reassign tasks; time makes them due. Each is said once."""

import pytest
from tests.unit.notifier.making import DAY, HOUR, NOW, a_desk_with, a_rep, a_task

from notifier.usecases.complete_task import CompleteTask, complete_task
from notifier.usecases.desk import UnknownRep
from notifier.usecases.keep_rep import KeepRep, keep_rep
from notifier.usecases.reassign_task import ReassignTask, reassign_task
from notifier.usecases.ring_tasks import RingTasks, ring_tasks
from notifier.usecases.snooze_task import SnoozeTask, snooze_task
from shared.contracts.task import TaskCompleted, TaskDue, TaskOverdue


class TestRingTasks:
    def test_says_due_then_overdue_with_the_time_that_was_missed(self) -> None:
        task = a_task(due_at=NOW + HOUR, grace=HOUR)
        desk = a_desk_with(task)
        due = ring_tasks(RingTasks(lead_id=task.lead_id), desk, now=NOW + HOUR)
        overdue = ring_tasks(RingTasks(lead_id=task.lead_id), desk, now=NOW + 2 * HOUR)
        again = ring_tasks(RingTasks(lead_id=task.lead_id), desk, now=NOW + DAY)

        assert [type(event) for event in due + overdue + again] == [TaskDue, TaskOverdue]
        assert isinstance(due[0], TaskDue)
        assert (due[0].due_at, due[0].occurred_at) == (NOW + HOUR, NOW + HOUR)
        assert desk.changed == {task.id}

    def test_says_due_again_after_a_snooze(self) -> None:
        task = a_task(due_at=NOW, grace=HOUR)
        desk = a_desk_with(task)
        ring_tasks(RingTasks(lead_id=task.lead_id), desk, now=NOW)
        snooze = SnoozeTask(task_id=task.id, until=NOW + DAY)
        snooze_task(snooze, desk, now=NOW)
        (event,) = ring_tasks(RingTasks(lead_id=task.lead_id), desk, now=NOW + DAY)

        assert isinstance(event, TaskDue)
        assert event.due_at == NOW + DAY


class TestCompleteTask:
    def test_is_said_once_however_often_it_is_told(self) -> None:
        task = a_task()
        desk = a_desk_with(task)
        command = CompleteTask(task_id=task.id)
        said = complete_task(command, desk, now=NOW) + complete_task(command, desk, now=NOW)

        assert [type(event) for event in said] == [TaskCompleted]


class TestReassignTask:
    def test_gives_the_task_to_a_rep_who_is_known(self) -> None:
        task, rep = a_task(), a_rep()
        desk = a_desk_with(task)
        desk.reps[rep.id] = rep
        command = ReassignTask(task_id=task.id, owner_id=rep.id)
        reassign_task(command, desk, now=NOW)

        assert task.owner_id == rep.id

    def test_refuses_a_rep_of_whom_nothing_was_heard(self) -> None:
        task = a_task()
        command = ReassignTask(task_id=task.id, owner_id=a_rep().id)

        with pytest.raises(UnknownRep):
            reassign_task(command, a_desk_with(task), now=NOW)


class TestKeepRep:
    def test_moves_only_upward(self) -> None:
        rep, desk = a_rep(), a_desk_with(a_task())
        for version, name in [(2, "Grace"), (1, "Gracie"), (3, "Admiral")]:
            known = KeepRep(
                rep_id=rep.id, version=version, name=name, email=rep.email, state="away"
            )
            keep_rep(known, desk, now=NOW)
            if version == 1:
                assert desk.reps[rep.id].name == "Grace"

        assert desk.reps[rep.id].name == "Admiral"


class TestTheDesk:
    def test_keeps_nothing_of_a_lead_whose_event_failed(self) -> None:
        task = a_task()
        desk = a_desk_with(task)
        desk.lead(task.lead_id, now=NOW)
        desk.leave(task.lead_id)

        assert (desk.leads, desk.tasks) == ({}, {})
