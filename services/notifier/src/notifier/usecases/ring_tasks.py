"""Ring: time has come for tasks that are due or overdue. The timer enters here."""

from dataclasses import dataclass
from datetime import datetime

from notifier.domain.task import State, Task
from notifier.usecases.desk import Desk
from notifier.usecases.saying import about
from shared.contracts.event import Event
from shared.contracts.task import TaskDue, TaskOverdue
from shared.ids import LeadId


@dataclass(frozen=True, slots=True, kw_only=True)
class RingTasks:
    """Something of this lead's may be due."""

    lead_id: LeadId


def ring_tasks(command: RingTasks, desk: Desk, *, now: datetime) -> list[Event]:
    """Say of each task what it came into; after a standstill, that may be two things at once."""
    said: list[Event] = []
    for task in desk.unfinished(command.lead_id):
        for state in task.ring(now=now):
            desk.keep(task)
            said.append(_came_into(state, task, desk, now=now))
    return said


def _came_into(state: State, task: Task, desk: Desk, *, now: datetime) -> Event:
    if state is State.DUE:
        return TaskDue(**about(task, desk=desk, now=now), due_at=task.due_at)
    return TaskOverdue(**about(task, desk=desk, now=now), due_at=task.due_at)
