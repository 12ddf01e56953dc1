"""Shows scorecards: one with its rules, or a page of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Integer, Row, Text, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lead_scoring.adapters import rulebooks
from lead_scoring.adapters.tables import scorecard
from lead_scoring.domain.predicate import Operator
from lead_scoring.domain.scorecard import Group, Repeat, Scorecard, State


class PredicateRecord(BaseModel):
    """One question about one fact."""

    field: str
    operator: Operator
    value: list[str]


class RuleRecord(BaseModel):
    """Points for what all of its predicates say."""

    code: str
    text: str
    group: Group
    points: int
    when: list[PredicateRecord]
    repeat: Repeat
    max_times: int


class ScorecardSummary(BaseModel):
    """A scorecard without its rules."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int | None = Field(description="1, 2, 3 ... of what was published; null: a draft")
    state: State = Field(description="only the active one scores, only a draft changes")
    name: str = Field(examples=["Autumn"])
    threshold: int = Field(description="from this score on a lead qualifies", examples=[50])
    rule_count: int
    revision: int = Field(description="what ETag holds")
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime


class ScorecardRecord(ScorecardSummary):
    """A scorecard."""

    fit_cuts: list[int] = Field(description="least points for A, B and C", examples=[[40, 25, 10]])
    engagement_cuts: list[int] = Field(
        description="least points for 1, 2 and 3", examples=[[40, 25, 10]]
    )
    rules: list[RuleRecord]


_SUMMARY = select(
    *(scorecard.c[name] for name in ("id", "version", "state", "revision", "published_at")),
    scorecard.c.created_at,
    scorecard.c.updated_at,
    scorecard.c.book["name"].astext.cast(Text).label("name"),
    scorecard.c.book["threshold"].astext.cast(Integer).label("threshold"),
    func.jsonb_array_length(scorecard.c.book["rules"]).label("rule_count"),
)


async def one(connection: AsyncConnection, scorecard_id: UUID) -> ScorecardRecord | None:
    """Return a scorecard."""
    found = await connection.execute(select(scorecard).where(scorecard.c.id == scorecard_id))
    row = found.one_or_none()
    return _record(row) if row else None


async def page(
    connection: AsyncConnection, *, state: State | None, after: UUID | None, limit: int
) -> Sequence[ScorecardSummary]:
    """Return scorecards, newest first."""
    statement = _SUMMARY.order_by(scorecard.c.id.desc()).limit(limit)
    if state:
        statement = statement.where(scorecard.c.state == state)
    if after:
        statement = statement.where(scorecard.c.id < after)
    return [ScorecardSummary.model_validate(row) for row in await connection.execute(statement)]


def shown(card: Scorecard) -> ScorecardRecord:
    """Return the answer for a scorecard that is at hand."""
    return ScorecardRecord(
        id=card.id,
        version=card.version,
        state=card.state,
        rule_count=len(card.book.rules),
        revision=card.revision,
        published_at=card.published_at,
        created_at=card.created_at,
        updated_at=card.updated_at,
        **rulebooks.to_json(card.book),
    )


def _record(row: Row[Any]) -> ScorecardRecord:
    return ScorecardRecord(
        id=row.id,
        version=row.version,
        state=row.state,
        rule_count=len(row.book["rules"]),
        revision=row.revision,
        published_at=row.published_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        **row.book,
    )
