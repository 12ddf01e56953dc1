"""Orders about what is parked: written here, done by the worker, which has the handlers.

The order is committed before anybody waits for it, so that it is done also when nobody does.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.messaging import parking_orders, subjects

Verb = Literal["release", "discard"]

_WAIT_SECONDS = 5.0
_LOOK_EVERY = 0.1

T = TypeVar("T")

_HISTORY = """
    SELECT * FROM parking_order WHERE {conditions}
    ORDER BY asked_at DESC, id DESC LIMIT :limit
"""
_OF_A_LEAD = "subject = ANY(:names)"
_BEFORE = "(asked_at, id) < (:at, :id)"


class ParkingOrder(BaseModel):
    """What somebody asked to be done with a lead's parked events, and how far that is."""

    id: UUID
    verb: Verb
    subject: UUID
    actor: str = Field(description="the name of the key that was used")
    reason: str | None
    state: Literal["open", "done", "failed"]
    count: int | None = Field(description="how many events were released or discarded")
    error: str | None = Field(description="why it failed: the events stay parked")
    release_id: UUID | None = Field(description="the release of one cause that it is a part of")
    created_at: datetime
    updated_at: datetime


async def give(
    engine: AsyncEngine, verb: Verb, subject: UUID, *, actor: str, reason: str | None = None
) -> ParkingOrder:
    """Write an order and wait up to 5 s for the worker; it may still be `open` then."""
    async with engine.begin() as connection:
        order_id = await parking_orders.ask(
            connection, verb=verb, subject=subject, actor=actor, reason=reason
        )
    return await finished(lambda: look(engine, order_id), is_open=lambda o: o.state == "open")


async def finished(ask: Callable[[], Awaitable[T | None]], *, is_open: Callable[[T], bool]) -> T:
    """Return an order as it stands once it is done, or after 5 s."""
    end = time.monotonic() + _WAIT_SECONDS
    while True:
        found = await ask()
        if found is None:
            raise LookupError("an order was written and is gone")
        if not is_open(found) or time.monotonic() > end:
            return found
        await asyncio.sleep(_LOOK_EVERY)


async def history(
    engine: AsyncEngine, subject: UUID | None, *, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[ParkingOrder]:
    """Return orders, of one lead under all its names or of all leads, the latest first."""
    conditions, values = ["true"], dict[str, object](limit=limit)
    if after:
        conditions.append(_BEFORE)
        values |= {"at": after[0], "id": after[1]}
    async with engine.connect() as connection:
        if subject:
            conditions.append(_OF_A_LEAD)
            values["names"] = await subjects.names_of(connection, subject)
        statement = text(_HISTORY.format(conditions=" AND ".join(conditions)))
        return [_shown(row) for row in await connection.execute(statement, values)]


async def look(engine: AsyncEngine, order_id: UUID) -> ParkingOrder | None:
    """Return an order as it stands."""
    async with engine.connect() as connection:
        row = await parking_orders.look(connection, order_id)
    return _shown(row) if row else None


def _shown(row: Row[Any]) -> ParkingOrder:
    # `row.count` is a tuple's own method; SQLAlchemy's public name for the columns is this.
    columns = row._mapping  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  as said above
    return ParkingOrder(
        id=row.id,
        verb=row.verb,
        subject=row.subject,
        actor=row.actor,
        reason=row.reason,
        state="open" if row.done_at is None else "failed" if row.error else "done",
        count=columns["count"],
        error=row.error,
        release_id=row.release_id,
        created_at=row.asked_at,
        updated_at=row.done_at or row.asked_at,
    )
