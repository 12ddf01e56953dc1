"""What every event about a task begins with, so that a use case names only what is its own."""

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from notifier.domain.task import Task
from notifier.usecases.desk import Desk


class AboutTask(TypedDict):
    """The fields that all events about a task share."""

    lead_id: UUID
    lead_version: int
    task_id: UUID
    deal_id: UUID | None
    owner_id: UUID | None
    task_kind: str
    title: str
    occurred_at: datetime


def about(task: Task, *, desk: Desk, now: datetime) -> AboutTask:
    """Return which task it is, by the name its deal goes by, whose it is now, and when this is."""
    return AboutTask(
        lead_id=task.opened_for,
        lead_version=desk.lead(task.lead_id, now=now).version,
        task_id=task.id,
        deal_id=task.deal_id,
        owner_id=task.owner_id,
        task_kind=task.kind,
        title=task.title,
        occurred_at=now,
    )
