"""Show a task: what notifier says of a follow-up task stands on the deal's timeline."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.desk import Desk
from shared.contracts.event import Event
from shared.ids import DealId


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowTask:
    """A task was made, came due, is overdue or is done. Absent `deal_id`: it is about no deal."""

    deal_id: DealId | None
    task_id: UUID
    happening: Happening
    task_kind: str
    title: str
    occurred_at: datetime
    owner_id: UUID | None = None
    due_at: datetime | None = None


def show_task(command: ShowTask, desk: Desk, *, now: datetime) -> list[Event]:
    """Add the task to its deal's timeline, closed deals included: a won deal has follow-up."""
    deal = desk.deals.get(command.deal_id) if command.deal_id else None
    if deal is None:
        return []
    detail = {
        "task_id": str(command.task_id),
        "task_kind": command.task_kind,
        "owner_id": str(command.owner_id) if command.owner_id else None,
        "due_at": _as_text(command.due_at) if command.due_at else None,
    }
    desk.note(
        deal,
        command.happening,
        now=now,
        occurred_at=command.occurred_at,
        text=command.title,
        detail={name: value for name, value in detail.items() if value is not None},
    )
    return []


def _as_text(moment: datetime) -> str:
    """Write a time as every answer does: in UTC, with a `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
