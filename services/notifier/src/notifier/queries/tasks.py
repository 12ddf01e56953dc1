"""Shows tasks: one, or a page of those that somebody has to do."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Select, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.adapters.tables import rep, task
from notifier.domain.playbook import Role
from notifier.domain.task import Cause, State
from shared.messaging import subjects
from shared.web.values import Instant

Position = tuple[datetime, UUID]


class TaskRecord(BaseModel):
    """One thing to do by a time."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str = Field(examples=["first_contact"])
    title: str = Field(description="blank once the person is erased")
    due_at: datetime
    state: State = Field(description="overdue: the playbook's grace after due_at is over too")
    role: Role = Field(description="for whom the playbook made it")
    owner_id: UUID | None = Field(description="the rep who has it; null: marketing as a whole")
    owner_name: str | None = Field(description="as far as is known here")
    lead_id: UUID
    deal_id: UUID
    playbook: str = Field(description="the playbook's name", examples=["first contact"])
    playbook_id: UUID
    finished_at: datetime | None = Field(description="when it was completed or cancelled")
    cause: Cause | None = Field(description="why it was cancelled")
    version: int = Field(description="what ETag holds")
    created_at: datetime
    updated_at: datetime


class TaskFilter(BaseModel):
    """What somebody looks for; absent: whatever it is."""

    owner_id: UUID | None = Field(None, description="the rep who has them")
    role: Role | None = Field(None, description="marketing: what was made for no rep")
    lead_id: UUID | None = None
    deal_id: UUID | None = None
    due_before: Instant | None = Field(None, examples=["2026-11-23T09:30:00Z"])
    state: list[State] = Field([], max_length=5, description="may be given more than once")


async def one(connection: AsyncConnection, task_id: UUID) -> TaskRecord | None:
    """Return a task."""
    statement = (
        select(task, rep.c.name.label("owner_name"))
        .outerjoin(rep, rep.c.id == task.c.owner_id)
        .where(task.c.id == task_id)
    )
    row = (await connection.execute(statement)).one_or_none()
    return TaskRecord.model_validate(row) if row else None


async def page(
    connection: AsyncConnection, wanted: TaskFilter, *, after: Position | None, limit: int
) -> Sequence[TaskRecord]:
    """Return tasks in the order in which they are due.

    The indexes hold the order of one state, and of one role where nothing else narrows the list;
    the few first of each are put together.
    """
    if wanted.lead_id:
        called = await subjects.called(connection, wanted.lead_id)
        wanted = wanted.model_copy(update={"lead_id": called})
    conditions = _conditions(wanted, after)
    found = union_all(*(_first([*part, *conditions], limit) for part in _parts(wanted))).subquery()
    statement = (
        select(found, rep.c.name.label("owner_name"))
        .outerjoin(rep, rep.c.id == found.c.owner_id)
        .order_by(found.c.due_at, found.c.id)
        .limit(limit)
    )
    return [TaskRecord.model_validate(row) for row in await connection.execute(statement)]


def _parts(wanted: TaskFilter) -> Iterator[list[ColumnElement[bool]]]:
    """Give what tells apart the parts of a list that an index holds in order."""
    is_narrow = wanted.owner_id or wanted.lead_id or wanted.deal_id
    roles = [wanted.role] if wanted.role or is_narrow else Role
    for state, role in product(dict.fromkeys(wanted.state or State), roles):
        yield [task.c.state == state, *([task.c.role == role] if role else [])]


def _first(conditions: Sequence[ColumnElement[bool]], limit: int) -> Select[tuple[Any, ...]]:
    few = select(task).where(*conditions)
    first = few.order_by(task.c.due_at, task.c.id).limit(limit).subquery()
    return select(first)


def _conditions(wanted: TaskFilter, after: Position | None) -> list[ColumnElement[bool]]:
    equal = {
        task.c.owner_id: wanted.owner_id,
        task.c.lead_id: wanted.lead_id,
        task.c.deal_id: wanted.deal_id,
    }
    conditions = [column == value for column, value in equal.items() if value is not None]
    if wanted.due_before:
        conditions.append(task.c.due_at < wanted.due_before)
    if after:
        conditions.append(tuple_(task.c.due_at, task.c.id) > tuple_(*after))
    return conditions
