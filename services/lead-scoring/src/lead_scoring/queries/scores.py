"""Shows scores: one with its reasons, or a page of those that match."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import eq, ge
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, FromClause, Integer, Row, Select, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from lead_scoring.adapters.tables import lead_score, scorecard
from lead_scoring.domain.lead import Qualification
from lead_scoring.domain.person import Block
from lead_scoring.domain.scorecard import Group
from shared.messaging import subjects
from shared.web.values import Count, Instant

Position = tuple[datetime, UUID] | tuple[int, UUID] | tuple[UUID]


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

    @property
    def is_ranked(self) -> bool:
        """Whether the best are first: who looks for some leads wants those."""
        asked = self.grade, self.min_score, self.qualification
        return self.updated_since is None and asked != (None, None, None)


async def one(connection: AsyncConnection, lead_id: UUID) -> ScoreRecord | None:
    """Return the score of a lead, by any of its ids."""
    called = await subjects.called(connection, lead_id)
    statement = _whole(lead_score).where(lead_score.c.lead_id == called)
    row = (await connection.execute(statement.where(lead_score.c.score.is_not(None)))).one_or_none()
    return _record(row) if row else None


async def page(
    connection: AsyncConnection, wanted: ScoreFilter, *, after: Position | None, limit: int
) -> Sequence[ScoreRecord]:
    """Return scores: all by their leads, newest first; some, best first; or by their last change.

    An index holds the best of one grade and of one qualification. Where neither is asked for, the
    few first of each qualification are put together.
    """
    conditions = _conditions(wanted, after)
    parts = (
        select(lead_score).where(*part, *conditions).order_by(*_order(wanted, lead_score))
        for part in _parts(wanted)
    )
    found = union_all(*(select(part.limit(limit).subquery()) for part in parts)).subquery()
    few = select(found).order_by(*_order(wanted, found)).limit(limit).subquery()
    statement = _whole(few).order_by(*_order(wanted, few))
    return [_record(row) for row in await connection.execute(statement)]


def position_shape(wanted: ScoreFilter) -> type[Position]:
    """Return what a cursor of such a list holds."""
    if wanted.updated_since is not None:
        return tuple[Instant, UUID]
    return tuple[Count, UUID] if wanted.is_ranked else tuple[UUID]


def position_of(record: ScoreRecord, wanted: ScoreFilter) -> Position:
    """Return where a score stands in the order of such a list."""
    if wanted.updated_since is not None:
        return record.updated_at, record.id
    return (record.score, record.id) if wanted.is_ranked else (record.id,)


def _whole(scores: FromClause) -> Select[Any]:
    """Return scores with what is shown of the scorecards by which they were made."""
    threshold = scorecard.c.book["threshold"].astext.cast(Integer).label("threshold")
    return select(scores, threshold).join(scorecard, scorecard.c.id == scores.c.scorecard_id)


def _parts(wanted: ScoreFilter) -> Iterator[list[ColumnElement[bool]]]:
    """Give what tells apart the parts of a list that an index holds in order."""
    only_high = wanted.is_ranked and wanted.grade is None and wanted.qualification is None
    for each in Qualification if only_high else [wanted.qualification]:
        yield [lead_score.c.qualification == each] if each else []


def _order(wanted: ScoreFilter, scores: FromClause) -> list[ColumnElement[Any]]:
    if wanted.updated_since is not None:
        return [scores.c.updated_at, scores.c.lead_id]
    best = [scores.c.score.desc()] if wanted.is_ranked else []
    return [*best, scores.c.lead_id.desc()]


def _conditions(wanted: ScoreFilter, after: Position | None) -> list[ColumnElement[bool]]:
    """Return what the filter asks for. A lead of which no card was heard yet has no score."""
    columns = lead_score.c
    asked = (
        (columns.grade, eq, wanted.grade),
        (columns.score, ge, wanted.min_score),
        (columns.updated_at, ge, wanted.updated_since),
    )
    conditions = [compare(column, value) for column, compare, value in asked if value is not None]
    if after and wanted.updated_since is not None:
        conditions.append(tuple_(columns.updated_at, columns.lead_id) > tuple_(*after))
    elif after:
        best = (columns.score,) if wanted.is_ranked else ()
        conditions.append(tuple_(*best, columns.lead_id) < tuple_(*after))
    return [columns.score.is_not(None), *conditions]


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
