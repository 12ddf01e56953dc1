"""Shows sources. A key is never shown; the token of an address only to who may write sources."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from marketing_intake.adapters.tables import source
from marketing_intake.domain.source import Channel, SourceKind

_PATHS = {"form": "/v1/forms/", "google_ads": "/v1/in/"}


class DefaultConsentRecord(BaseModel):
    """The consent that everybody gives who comes by a source, or the words of its box."""

    purpose: str
    granted: bool = True
    text: str | None = None


class SourceRecord(BaseModel):
    """Where leads come from."""

    id: UUID
    name: str
    kind: SourceKind
    channel: Channel
    mapping: dict[str, str] = Field(description="the sender's field to the canonical one")
    success_urls: list[str] = Field(
        description="where a form may send its visitors; first: default"
    )
    honeypot: str = Field(description="a form's field that only machines fill in")
    phone_region: str | None = Field(description="reads phone numbers without a country's code")
    default_consents: list[DefaultConsentRecord]
    token: str | None = Field(
        default=None, description="the secret part of the address that is posted to"
    )
    path: str | None = Field(default=None, description="what the form or ad platform posts to")
    google_key: str | None = Field(default=None, description="shown once, if it was made here")
    version: int = Field(description="what ETag holds")
    created_at: datetime
    updated_at: datetime


async def one(
    connection: AsyncConnection, source_id: UUID, *, with_token: bool
) -> SourceRecord | None:
    """Return a source."""
    row = (await connection.execute(select(source).where(source.c.id == source_id))).one_or_none()
    return record_of(row, with_token=with_token) if row else None


async def page(
    connection: AsyncConnection,
    *,
    after: UUID | None,
    limit: int,
    with_token: bool,
    only: UUID | None,
) -> Sequence[SourceRecord]:
    """Return sources, newest first; or `only` that one."""
    statement = select(source).order_by(source.c.id.desc()).limit(limit)
    if only:
        statement = statement.where(source.c.id == only)
    if after:
        statement = statement.where(source.c.id < after)
    rows = await connection.execute(statement)
    return [record_of(row, with_token=with_token) for row in rows]


def record_of(row: Row[Any], *, with_token: bool) -> SourceRecord:
    """Return a row of the table as the API shows it."""
    token = row.token if with_token else None
    return SourceRecord(
        id=row.id,
        name=row.name,
        kind=row.kind,
        channel=row.channel,
        mapping=dict(row.mapping),
        success_urls=row.success_url,
        honeypot=row.honeypot,
        phone_region=row.phone_region,
        default_consents=row.default_consent,
        token=token,
        path=_PATHS[row.kind] + token if token else None,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
