"""Shows playbooks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.adapters.tables import playbook
from notifier.domain.playbook import Role


class PlaybookRecord(BaseModel):
    """A rule: on this event, if the condition holds, make such a task."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str = Field(examples=["follow up"])
    enabled: bool
    event: str = Field(examples=["deal.stage_changed"])
    condition: dict[str, str] = Field(examples=[{"stage": "proposal"}])
    task_kind: str = Field(examples=["follow_up"])
    title: str = Field(examples=["Follow up on the proposal to {name}"])
    due_in: timedelta = Field(description="from the event to the due time, as ISO 8601 has it")
    grace: timedelta = Field(description="from due to overdue, as ISO 8601 has it")
    role: Role = Field(description="for whom the task is")
    version: int = Field(description="what ETag holds")
    created_at: datetime
    updated_at: datetime


_WHOLE = select(
    playbook,
    playbook.c.due_in_seconds.label("due_in"),
    playbook.c.grace_seconds.label("grace"),
)


async def one(connection: AsyncConnection, playbook_id: UUID) -> PlaybookRecord | None:
    """Return a playbook."""
    row = (await connection.execute(_WHOLE.where(playbook.c.id == playbook_id))).one_or_none()
    return PlaybookRecord.model_validate(row) if row else None


async def page(
    connection: AsyncConnection, *, after: UUID | None, limit: int
) -> Sequence[PlaybookRecord]:
    """Return playbooks in the order in which they were made."""
    statement = _WHOLE.order_by(playbook.c.id).limit(limit)
    if after:
        statement = statement.where(playbook.c.id > after)
    return [PlaybookRecord.model_validate(row) for row in await connection.execute(statement)]
