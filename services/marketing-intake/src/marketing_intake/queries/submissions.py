"""Shows submissions: what became of what was posted."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from marketing_intake.adapters.tables import submission
from marketing_intake.domain.submission import Outcome, State


class SubmissionRecord(BaseModel):
    """A submission. `outcome` is null while it has none; `reason` says why it is what it is."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    source_id: UUID
    state: State
    outcome: Outcome | None
    reason: str | None
    lead_id: UUID | None
    received_at: datetime
    resolved_at: datetime | None
    resolution: int | None = Field(description="its place in the order of resolving")
    created_at: datetime
    updated_at: datetime


_SHOWN = select(*(submission.c[name] for name in SubmissionRecord.model_fields))


async def one(connection: AsyncConnection, submission_id: UUID) -> SubmissionRecord | None:
    """Return a submission."""
    row = (await connection.execute(_SHOWN.where(submission.c.id == submission_id))).one_or_none()
    return SubmissionRecord.model_validate(row) if row else None


async def page(
    connection: AsyncConnection,
    *,
    state: State | None,
    source_id: UUID | None,
    after: UUID | None,
    limit: int,
) -> Sequence[SubmissionRecord]:
    """Return submissions, newest first."""
    statement = _SHOWN.order_by(submission.c.id.desc()).limit(limit)
    if state:
        statement = statement.where(submission.c.state == state)
    if source_id:
        statement = statement.where(submission.c.source_id == source_id)
    if after:
        statement = statement.where(submission.c.id < after)
    return [SubmissionRecord.model_validate(row) for row in await connection.execute(statement)]
