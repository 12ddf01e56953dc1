"""Complete a task: somebody did it."""

from dataclasses import dataclass
from datetime import datetime

from notifier.usecases.desk import Desk
from notifier.usecases.saying import about
from shared.contracts.event import Event
from shared.contracts.task import TaskCompleted
from shared.ids import TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteTask:
    """This task is done."""

    task_id: TaskId


def complete_task(command: CompleteTask, desk: Desk, *, now: datetime) -> list[Event]:
    """Note it, and say so once, however often it is told.

    Raises:
        CancelledTaskStaysCancelled: it was cancelled.
    """
    task = desk.task(command.task_id)
    if not task.complete(now=now):
        return []
    desk.keep(task)
    return [TaskCompleted(**about(task, desk=desk, now=now))]
