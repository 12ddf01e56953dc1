"""Shows what is parked: leads that wait for a person, and the raw events of one of them.

Reads only. Releasing and discarding are orders to the worker (`parking_orders`).
"""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.messaging import subjects
from shared.web.pages import Page

Reason = Literal["poison", "conflict", "gap", "busy", "held"]
"""Why a lead is parked; what waits behind its first event is `behind`."""


class ParkedCause(BaseModel):
    """What leads are parked for, and how many."""

    cause: str = Field(
        description="the kind of the error, or the reason where there is none",
        examples=["KeyError"],
    )
    type: str = Field(description="of the event that fails", examples=["lead.captured.v1"])
    reason: Reason
    leads: int
    parked_at: datetime = Field(description="since when the first of them")
    updated_at: datetime = Field(description="when the latest was parked")


class FirstEvent(BaseModel):
    """The event with which it began."""

    event_id: UUID
    type: str = Field(examples=["lead.captured.v1"])
    topic: str
    sequence: int


class ParkedLead(BaseModel):
    """A lead (or rep) of which events wait here, and why."""

    id: UUID = Field(description="the subject: a lead's id, or a rep's")
    reason: str = Field(description="poison, conflict, gap, busy or held", examples=["poison"])
    count: int = Field(description="how many events are parked")
    behind: int = Field(description="how many of them only wait behind another")
    first: FirstEvent
    error: str | None = Field(description="what went wrong with it, if something did")
    parked_at: datetime = Field(description="since when")
    created_at: datetime
    updated_at: datetime = Field(description="when the latest event was parked")


class ParkedEvent(BaseModel):
    """One event that was received and not applied, as it came; or that Kafka does not take."""

    id: UUID = Field(description="the event's id")
    type: str
    topic: str
    sequence: int
    reason: str = Field(description="`behind`: it waits for one before it")
    error: str | None
    traceback: str | None
    partition: int | None = Field(description="empty: it was not sent yet")
    offset: int | None
    headers: dict[str, str] = Field(description="the envelope")
    value: str = Field(description="the event's content: as text, or in base64")
    value_encoding: Literal["text", "base64"]
    created_at: datetime
    updated_at: datetime


class ParkedDetail(ParkedLead):
    """A lead with its parked events, the first to be applied first."""

    events: Page[ParkedEvent]


_WHAT = """
           coalesce(max(s.parked_as), max(t.parked_as),
                    (array_agg(p.reason ORDER BY p.place, p.id))[1]) AS reason,
           array_agg(DISTINCT p.reason) AS reasons,
           count(*) AS events,
           count(*) FILTER (WHERE p.reason = 'behind') AS behind,
           (array_agg(p.event_id ORDER BY p.place, p.id))[1] AS event_id,
           (array_agg(p.type ORDER BY p.place, p.id))[1] AS type,
           (array_agg(p.topic ORDER BY p.place, p.id))[1] AS topic,
           (array_agg(p.sequence ORDER BY p.place, p.id))[1] AS sequence,
           (array_agg(p.error ORDER BY p.place, p.id) FILTER (WHERE p.error IS NOT NULL))[1]
               AS error,
           min(p.parked_at) AS parked_at,
           max(p.parked_at) AS updated_at
    FROM parked p
    LEFT JOIN subject s ON s.id = p.subject
    LEFT JOIN subject t ON t.id = s.alias_of -- of a merged lead the mark is on the survivor
"""
_PAGE = text(f"""
    SELECT * FROM (
        SELECT p.subject AS id, {_WHAT}
        WHERE CAST(:after AS uuid) IS NULL OR p.subject > :after
        GROUP BY p.subject
    ) AS lead
    WHERE CAST(:reason AS text) IS NULL OR reason = :reason OR :reason = ANY(reasons)
    ORDER BY id LIMIT :limit
""")  # noqa: S608  our own text
_ONE = text(f"""
    SELECT CAST(:subject AS uuid) AS id, {_WHAT} WHERE p.subject = ANY(:names) HAVING count(*) > 0
""")
_EVENTS = text("""
    SELECT * FROM parked WHERE subject = ANY(:names) AND (place, id) > (:place, :after)
    ORDER BY place, id LIMIT :limit
""")
_CAUSES = text("""
    SELECT cause, type, reason, count(*) AS leads, min(parked_at) AS parked_at,
           max(parked_at) AS updated_at
    FROM parked_cause
    WHERE (cause, type, reason) > (:cause, :type, :reason)
    GROUP BY cause, type, reason ORDER BY cause, type, reason LIMIT :limit
""")


async def causes(
    connection: AsyncConnection, *, after: tuple[str, str, str], limit: int
) -> Sequence[ParkedCause]:
    """Return what leads are parked for, in the order of the causes' names."""
    cause, event_type, reason = after
    values = {"cause": cause, "type": event_type, "reason": reason, "limit": limit}
    rows = await connection.execute(_CAUSES, values)
    return [ParkedCause.model_validate(row, from_attributes=True) for row in rows]


async def page(
    connection: AsyncConnection, reason: Reason | None, *, after: UUID | None, limit: int
) -> Sequence[ParkedLead]:
    """Return leads of which something is parked, the one that was known first first."""
    values = {"reason": reason, "after": after, "limit": limit}
    return [_lead(row) for row in await connection.execute(_PAGE, values)]


async def one(connection: AsyncConnection, subject: UUID) -> ParkedLead | None:
    """Return one lead, by whichever of its names, if something of it is parked."""
    values = {"subject": subject, "names": await subjects.names_of(connection, subject)}
    row = (await connection.execute(_ONE, values)).one_or_none()
    return _lead(row) if row else None


async def events(
    connection: AsyncConnection, subject: UUID, *, after: tuple[int, int], limit: int
) -> Sequence[Row[Any]]:
    """Return rows of a lead's parked events, in the order in which they were parked."""
    names = await subjects.names_of(connection, subject)
    values = {"names": names, "place": after[0], "after": after[1], "limit": limit}
    return (await connection.execute(_EVENTS, values)).all()


def shown(row: Row[Any]) -> ParkedEvent:
    """Return a parked event as people see it."""
    value, encoding = _readable(row.value)
    return ParkedEvent(
        id=row.event_id,
        type=row.type,
        topic=row.topic,
        sequence=row.sequence,
        reason=row.reason,
        error=row.error,
        traceback=row.traceback,
        partition=row.partition,
        offset=row.offset,
        headers=row.headers,
        value=value,
        value_encoding=encoding,
        created_at=row.parked_at,
        updated_at=row.parked_at,
    )


def _readable(raw: bytes) -> tuple[str, Literal["text", "base64"]]:
    try:
        return raw.decode(), "text"
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode(), "base64"


def _lead(row: Row[Any]) -> ParkedLead:
    first = FirstEvent(event_id=row.event_id, type=row.type, topic=row.topic, sequence=row.sequence)
    return ParkedLead(
        id=row.id,
        reason=row.reason,
        count=row.events,
        behind=row.behind,
        first=first,
        error=row.error,
        parked_at=row.parked_at,
        created_at=row.parked_at,
        updated_at=row.updated_at,
    )
