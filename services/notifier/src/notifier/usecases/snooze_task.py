"""Snooze a task: it gets a new due time, at which it can be due, and overdue, again."""

from dataclasses import dataclass
from datetime import datetime

from notifier.usecases.desk import Desk
from shared.contracts.event import Event
from shared.ids import TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class SnoozeTask:
    """This task is to wait until then."""

    task_id: TaskId
    until: datetime


def snooze_task(command: SnoozeTask, desk: Desk, *, now: datetime) -> list[Event]:
    """Move the due time. The task's grace stays what it was.

    Raises:
        CompletedTaskStaysCompleted: it is done.
        CancelledTaskStaysCancelled: it was cancelled.
        BadSnooze: the time is past, or too far away.
    """
    task = desk.task(command.task_id)
    if task.snooze(until=command.until, now=now):
        desk.keep(task)
    return []
