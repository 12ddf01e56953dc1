"""Reassign a task: somebody else does it. The deal keeps its owner."""

from dataclasses import dataclass
from datetime import datetime

from notifier.usecases.desk import Desk, UnknownRep
from shared.contracts.event import Event
from shared.ids import RepId, TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReassignTask:
    """This task goes to this rep."""

    task_id: TaskId
    owner_id: RepId


def reassign_task(command: ReassignTask, desk: Desk, *, now: datetime) -> list[Event]:
    """Give the task to a rep who is known.

    Raises:
        UnknownRep: nothing was heard of such a rep.
        CompletedTaskStaysCompleted: it is done.
        CancelledTaskStaysCancelled: it was cancelled.
    """
    if command.owner_id not in desk.reps:
        raise UnknownRep(command.owner_id)
    task = desk.task(command.task_id)
    if task.reassign(owner_id=command.owner_id, now=now):
        desk.keep(task)
    return []
