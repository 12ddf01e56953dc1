"""Shows scores: one with its reasons, or a page of those that match."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import eq, ge
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Integer, Row, Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from lead_scoring.adapters.tables import lead_score, scorecard
from lead_scoring.domain.lead import Qualification
from lead_scoring.domain.person import Block
from lead_scoring.domain.scorecard import Group
from shared.messaging import subjects

Position = tuple[datetime, UUID] | tuple[UUID]


class EntryRecord(BaseModel):
    """One reason for a score."""

    points: int = Field(examples=[25])
    code: str = Field(description="the rule's name", examples=["title_senior"])
    text: str = Field(description="the rule in words", examples=["Decides: senior job title"])
    event_id: UUID = Field(description="the event that gave the points")
    group: Group = Field(description="clamp: what brings the sum into 0 to 100")


class QualificationRecord(BaseModel):
    """Whether sales has the lead."""

    state: Qualification
    reason: Block | None = Field(description="why the lead may not be handed over")
    qualified_at: datetime | None = Field(description="when it was handed over last")
    ended_at: datetime | None = Field(description="when its latest deal ended")


class ScorecardReference(BaseModel):
    """By which rules a lead was scored."""

    id: UUID
    version: int
    threshold: int = Field(description="from this score on a lead qualifies", examples=[50])


class ScoreRecord(BaseModel):
    """The score of a lead, which its entries add up to."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="the lead's id")
    lead_id: UUID
    lead_version: int = Field(description="of the lead data that was scored")
    score: int = Field(ge=0, le=100, examples=[75])
    grade: str = Field(
        description="letter by fit, A to D; digit by engagement, 1 to 4", examples=["A2"]
    )
    fit: int = Field(description="points for who the person is", examples=[55])
    engagement: int = Field(description="points for what the person did", examples=[20])
    qualification: QualificationRecord
    scorecard: ScorecardReference
    entries: list[EntryRecord]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFilter:
    """What somebody looks for; absent: whatever it is."""

    grade: str | None = None
    min_score: int | None = None
    qualification: Qualification | None = None
    updated_since: datetime | None = None


_WHOLE = (
    select(lead_score, scorecard.c.book["threshold"].astext.cast(Integer).label("threshold"))
    .join(scorecard, scorecard.c.id == lead_score.c.scorecard_id)
    .where(lead_score.c.score.is_not(None))
)
"""A lead of which only touchpoints were heard so far has no score to show."""


async def one(connection: AsyncConnection, lead_id: UUID) -> ScoreRecord | None:
    """Return the score of a lead, by any of its ids."""
    called = await subjects.called(connection, lead_id)
    found = await connection.execute(_WHOLE.where(lead_score.c.lead_id == called))
    row = found.one_or_none()
    return _record(row) if row else None


async def page(
    connection: AsyncConnection, wanted: ScoreFilter, *, after: Position | None, limit: int
) -> Sequence[ScoreRecord]:
    """Return scores, newest lead first; with `updated_since` in the order of their last change."""
    statement = _ordered(_WHOLE.where(*_conditions(wanted)), wanted, after).limit(limit)
    return [_record(row) for row in await connection.execute(statement)]


def position_of(record: ScoreRecord, wanted: ScoreFilter) -> Position:
    """Return where a score stands in the order of such a list."""
    return (record.updated_at, record.id) if wanted.updated_since else (record.id,)


def _conditions(wanted: ScoreFilter) -> list[ColumnElement[bool]]:
    """Return what the filter asks for, each part served by an index."""
    asked = (
        (lead_score.c.grade, eq, wanted.grade),
        (lead_score.c.score, ge, wanted.min_score),
        (lead_score.c.qualification, eq, wanted.qualification),
        (lead_score.c.updated_at, ge, wanted.updated_since),
    )
    return [compare(column, value) for column, compare, value in asked if value is not None]


def _ordered(statement: Select[Any], wanted: ScoreFilter, after: Position | None) -> Select[Any]:
    if wanted.updated_since:
        order = tuple_(lead_score.c.updated_at, lead_score.c.lead_id)
        beyond = order > tuple_(*after) if after else None
        statement = statement.order_by(lead_score.c.updated_at, lead_score.c.lead_id)
    else:
        beyond = lead_score.c.lead_id < after[0] if after else None
        statement = statement.order_by(lead_score.c.lead_id.desc())
    return statement if beyond is None else statement.where(beyond)


def _record(row: Row[Any]) -> ScoreRecord:
    return ScoreRecord(
        id=row.lead_id,
        lead_id=row.lead_id,
        lead_version=row.version,
        score=row.score,
        grade=row.grade,
        fit=row.fit,
        engagement=row.engagement,
        qualification=QualificationRecord(
            state=row.qualification,
            reason=row.reason,
            qualified_at=row.qualified_at,
            ended_at=row.ended_at,
        ),
        scorecard=ScorecardReference(
            id=row.scorecard_id, version=row.scorecard_version, threshold=row.threshold
        ),
        entries=row.entries,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
