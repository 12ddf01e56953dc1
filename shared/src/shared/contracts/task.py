"""What notifier says, on `handoff.tasks.v1`: the life of follow-up tasks."""

from typing import ClassVar
from uuid import UUID

from shared.contracts.event import LeadEvent, Moment


class TaskEvent(LeadEvent):
    """Something about one task. `owner_id` is absent where a task is marketing's."""

    task_id: UUID
    deal_id: UUID | None = None
    owner_id: UUID | None = None
    task_kind: str
    title: str
    occurred_at: Moment


class TaskCreated(TaskEvent):
    """A playbook's rule asked for something to be done by `due_at`."""

    kind: ClassVar[str] = "task.created"

    playbook: str
    due_at: Moment


class TaskDue(TaskEvent):
    """The due time came: at most once per due time."""

    kind: ClassVar[str] = "task.due"

    due_at: Moment


class TaskOverdue(TaskEvent):
    """The due time and the playbook's grace are over: at most once per due time."""

    kind: ClassVar[str] = "task.overdue"

    due_at: Moment


class TaskCompleted(TaskEvent):
    """A person did it."""

    kind: ClassVar[str] = "task.completed"
