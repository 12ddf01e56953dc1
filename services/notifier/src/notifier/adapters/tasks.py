"""Loads and saves tasks: the one place that knows both the row and the task."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.adapters.tables import task
from notifier.domain.playbook import Role
from notifier.domain.task import Cause, State, Task
from shared.database.bulk import Upsert
from shared.database.direct import Row, reading
from shared.ids import LeadId, TaskId

_TO_DO = reading(
    task, "WHERE lead_id = ANY(:leads) AND (finished_at IS NULL OR trigger_event_id = ANY(:events))"
)
_DUE = reading(task, "WHERE lead_id = ANY(:leads) AND next_at <= :now")
_ONE = reading(task, "WHERE id = :id")
_LEAD = text("SELECT lead_id FROM task WHERE id = :id")
_DUE_LEADS = text("""
    SELECT lead_id FROM (
        SELECT lead_id, next_at FROM task WHERE next_at <= :now ORDER BY next_at LIMIT :limit
    ) AS due GROUP BY lead_id ORDER BY min(next_at)
""")
_SAVE = Upsert(task)


async def load_to_do(
    connection: AsyncConnection, leads: Collection[LeadId], *, events: Collection[UUID]
) -> list[Task]:
    """Load what is still to be done for leads, and whatever these events made before."""
    rows = await _TO_DO.rows(connection, leads=list(leads), events=list(events))
    return [_task(row) for row in rows]


async def load_due(
    connection: AsyncConnection, leads: Collection[LeadId], *, now: datetime
) -> list[Task]:
    """Load the tasks of leads for which something happens by itself now."""
    rows = await _DUE.rows(connection, leads=list(leads), now=now)
    return [_task(row) for row in rows]


async def load_one(connection: AsyncConnection, task_id: TaskId) -> Task:
    """Load a task that exists; its lead is locked."""
    (row,) = await _ONE.rows(connection, id=task_id)
    return _task(row)


async def lead_of(connection: AsyncConnection, task_id: TaskId) -> LeadId | None:
    """Find whose task it is, before anything is locked; None: there is no such task."""
    return await connection.scalar(_LEAD, {"id": task_id})


async def leads_with_due(
    connection: AsyncConnection, *, now: datetime, limit: int
) -> Sequence[LeadId]:
    """Find leads for whom something is due, the longest due first; locks nothing."""
    rows = await connection.execute(_DUE_LEADS, {"now": now, "limit": limit})
    return [row.lead_id for row in rows]


async def save(connection: AsyncConnection, tasks: Iterable[Task]) -> None:
    """Save tasks, new and changed ones alike."""
    await _SAVE.run(connection, [_row(each) for each in tasks])


def _task(row: Row) -> Task:
    return Task(
        id=row.id,
        playbook_id=row.playbook_id,
        playbook=row.playbook,
        trigger_event_id=row.trigger_event_id,
        informed_by=row.informed_by,
        lead_id=row.lead_id,
        opened_for=row.opened_for,
        deal_id=row.deal_id,
        owner_id=row.owner_id,
        role=Role(row.role),
        kind=row.kind,
        title=row.title,
        due_at=row.due_at,
        grace=timedelta(seconds=row.grace_seconds),
        state=State(row.state),
        next_at=row.next_at,
        finished_at=row.finished_at,
        cause=Cause(row.cause) if row.cause else None,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _row(each: Task) -> dict[str, object]:
    return {
        "id": each.id,
        "playbook_id": each.playbook_id,
        "playbook": each.playbook,
        "trigger_event_id": each.trigger_event_id,
        "informed_by": each.informed_by,
        "lead_id": each.lead_id,
        "opened_for": each.opened_for,
        "deal_id": each.deal_id,
        "owner_id": each.owner_id,
        "role": each.role,
        "kind": each.kind,
        "title": each.title,
        "due_at": each.due_at,
        "grace_seconds": int(each.grace.total_seconds()),
        "state": each.state,
        "next_at": each.next_at,
        "finished_at": each.finished_at,
        "cause": each.cause,
        "version": each.version,
        "created_at": each.created_at,
        "updated_at": each.updated_at,
    }
