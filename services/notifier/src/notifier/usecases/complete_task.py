"""Complete a task: somebody did it."""

from dataclasses import dataclass
from datetime import datetime

from notifier.usecases.desk import Desk
from notifier.usecases.saying import about
from shared.contracts.event import Event
from shared.contracts.task import TaskCompleted
from shared.ids import LeadId, TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteTask:
    """This task of this lead is done."""

    lead_id: LeadId
    task_id: TaskId


def complete_task(command: CompleteTask, desk: Desk, *, now: datetime) -> list[Event]:
    """Note it, and say so once, however often it is told.

    Raises:
        TaskFinished: it was cancelled.
    """
    task = desk.task(command.lead_id, command.task_id)
    if not task.complete(now=now):
        return []
    desk.keep(task)
    return [TaskCompleted(**about(task, desk=desk, now=now))]
