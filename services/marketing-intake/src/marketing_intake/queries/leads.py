"""Shows leads: one with its consents and likenesses, or a page of those that match."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Select, Subquery, exists, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from marketing_intake.adapters.tables import identity_key, lead, lead_phone, touchpoint
from shared.messaging import subjects
from shared.web.values import Instant

Position = tuple[datetime, UUID] | tuple[UUID]


class ConsentRecord(BaseModel):
    """The consent that holds for a purpose."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    purpose: str = Field(examples=["email_marketing"])
    granted: bool
    text: str | None = Field(description="the words that the person was shown")
    occurred_at: datetime
    created_at: datetime
    updated_at: datetime


class LeadRecord(BaseModel):
    """A person who may buy, as marketing knows them."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str | None
    phone: str | None = Field(description="E.164; the one shown last")
    first_name: str | None
    last_name: str | None
    company: str | None
    job_title: str | None
    country: str | None = Field(description="ISO 3166-1 alpha-2")
    version: int = Field(description="one higher with every change; every event carries it")
    created_at: datetime
    updated_at: datetime


class LeadDetail(LeadRecord):
    """A lead with what belongs to it."""

    consents: list[ConsentRecord]
    touchpoint_count: int
    suggested_duplicates: list[UUID] = Field(description="leads that may be the same person")
    merged_leads: list[UUID] = Field(
        description="leads that were merged into this one: their ids lead here"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFilter:
    """Whom somebody looks for; absent: whoever it is, and by whichever source."""

    email: str | None = None
    phone: str | None = None
    updated_since: datetime | None = None
    brought_by: UUID | None = None


_WHOLE = select(*(lead.c[name] for name in LeadRecord.model_fields)).where(
    lead.c.erased_at.is_(None), lead.c.merged_into.is_(None)
)
_CONSENTS = text("""
    SELECT DISTINCT ON (purpose) id, purpose, granted, text, occurred_at, created_at,
           created_at AS updated_at
    FROM consent WHERE lead_id = :id ORDER BY purpose, received_at DESC, id DESC
""")
_TOUCHPOINTS = text("""
    SELECT count(*) FROM touchpoint
    WHERE lead_id = :id AND source_id = coalesce(CAST(:source AS uuid), source_id)
""")
_ALIKE = text("""
    SELECT id FROM (
        SELECT like_id AS id FROM suggested_duplicate WHERE lead_id = :id
        UNION SELECT lead_id FROM suggested_duplicate WHERE like_id = :id
    ) AS alike
    WHERE CAST(:source AS uuid) IS NULL
       OR EXISTS (
           SELECT FROM touchpoint t
           WHERE t.lead_id = alike.id AND t.source_id = :source AND t.submission_id IS NOT NULL
       )
    ORDER BY id LIMIT 50
""")

_MERGED = text("SELECT id FROM lead WHERE merged_into = :id ORDER BY id LIMIT 200")


async def one(
    connection: AsyncConnection, lead_id: UUID, *, brought_by: UUID | None = None
) -> LeadDetail | None:
    """Return a lead that is not erased, by any of its ids; or as far as a source brought it."""
    lead_id = await subjects.called(connection, lead_id)
    statement = _matching(LeadFilter(brought_by=brought_by)).where(lead.c.id == lead_id)
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    values = {"id": lead_id}
    of_source = {**values, "source": brought_by}
    consents = (await connection.execute(_CONSENTS, values)).all()
    return LeadDetail(
        **LeadRecord.model_validate(row).model_dump(),
        consents=[ConsentRecord.model_validate(consent) for consent in consents],
        touchpoint_count=await connection.scalar(_TOUCHPOINTS, of_source) or 0,
        suggested_duplicates=list((await connection.scalars(_ALIKE, of_source)).all()),
        merged_leads=list((await connection.scalars(_MERGED, values)).all()),
    )


async def is_brought_by(connection: AsyncConnection, lead_id: UUID, source_id: UUID) -> bool:
    """Tell whether a source brought a lead, by whichever of its ids."""
    lead_id = await subjects.called(connection, lead_id)
    statement = _matching(LeadFilter(brought_by=source_id)).where(lead.c.id == lead_id)
    return (await connection.execute(statement)).one_or_none() is not None


async def page(
    connection: AsyncConnection, wanted: LeadFilter, *, after: Position | None, limit: int
) -> Sequence[LeadRecord]:
    """Return leads, newest first; with `updated_since` in the order of their last change."""
    if wanted.brought_by is not None and wanted.updated_since is None:
        brought = _all_brought_by(wanted.brought_by, before=after[0] if after else None)
        matching = _matching(replace(wanted, brought_by=None))
        matching = matching.join(brought, brought.c.lead_id == lead.c.id)
    else:
        matching = _matching(wanted)
    statement = _ordered(matching, wanted, after).limit(limit)
    return [LeadRecord.model_validate(row) for row in await connection.execute(statement)]


async def consent(connection: AsyncConnection, lead_id: UUID, purpose: str) -> ConsentRecord:
    """Return the consent of a lead that holds for a purpose; there is one."""
    rows = await connection.execute(_CONSENTS, {"id": await subjects.called(connection, lead_id)})
    return next(ConsentRecord.model_validate(row) for row in rows if row.purpose == purpose)


def position_shape(wanted: LeadFilter) -> type[Position]:
    """Return what a cursor of such a list holds."""
    return tuple[Instant, UUID] if wanted.updated_since else tuple[UUID]


def position_of(record: LeadRecord, wanted: LeadFilter) -> Position:
    """Return where a lead stands in the order of such a list."""
    return (record.updated_at, record.id) if wanted.updated_since else (record.id,)


def _matching(wanted: LeadFilter) -> Select[Any]:
    statement = _WHOLE
    if wanted.email is not None:
        statement = statement.join(identity_key, identity_key.c.lead_id == lead.c.id).where(
            identity_key.c.kind == "email", identity_key.c.value == wanted.email
        )
    if wanted.phone is not None:
        statement = statement.join(lead_phone, lead_phone.c.lead_id == lead.c.id).where(
            lead_phone.c.phone == wanted.phone
        )
    if wanted.updated_since is not None:
        statement = statement.where(lead.c.updated_at >= wanted.updated_since)
    if wanted.brought_by is not None:
        statement = statement.where(_brought_by(wanted.brought_by))
    return statement


def _brought_by(source_id: UUID) -> ColumnElement[bool]:
    """Tell leads that a source brought: who only saw them come and go has not brought them."""
    return exists().where(
        touchpoint.c.lead_id == lead.c.id,
        touchpoint.c.source_id == source_id,
        touchpoint.c.submission_id.is_not(None),
    )


def _all_brought_by(source_id: UUID, *, before: UUID | datetime | None) -> Subquery:
    """Return whom a source brought, each once, as an index has them: the newest first.

    To be asked of each lead whether this source brought it is much for one that brought few.
    """
    of = touchpoint.c
    brought = select(of.lead_id).where(of.source_id == source_id, of.submission_id.is_not(None))
    if before is not None:
        brought = brought.where(of.lead_id < before)
    return brought.distinct().order_by(of.lead_id.desc()).subquery()


def _ordered(statement: Select[Any], wanted: LeadFilter, after: Position | None) -> Select[Any]:
    if wanted.updated_since:
        order = tuple_(lead.c.updated_at, lead.c.id)
        beyond = order > tuple_(*after) if after else None
        statement = statement.order_by(lead.c.updated_at, lead.c.id)
    else:
        beyond = lead.c.id < after[0] if after else None
        statement = statement.order_by(lead.c.id.desc())
    return statement if beyond is None else statement.where(beyond)
