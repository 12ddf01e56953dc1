"""Shows the breaker of a service's consumer, and closes it for whoever takes that on himself.

A consumer that it stopped looks again every two seconds, and goes on once the row is closed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.loggers import get_logger

log = get_logger(__name__)


class Breaker(BaseModel):
    """What one version of the code has parked lately, and whether that stopped its consumer."""

    id: str = Field(description="the version of the code", examples=["0.1.0+3f9a0c1e77b2"])
    state: Literal["open", "closed"] = Field(description="open: the consumer stands still")
    reason: str | None = Field(
        description="the kind of event and of error that opened it", examples=["deal.won: KeyError"]
    )
    in_a_row: int = Field(description="leads parked as poison since the last event that went well")
    counted: int = Field(description="events of the window, a thousand at most")
    poisoned: int = Field(description="how many of them parked their lead")
    created_at: datetime = Field(description="when a consumer with this code first ran")
    updated_at: datetime = Field(description="when one last looked")
    opened_at: datetime | None
    closed_at: datetime | None = Field(description="when somebody closed it")
    closed_by: str | None = Field(description="the name of the key that was used")


_PAGE = text("SELECT * FROM breaker WHERE version > :after ORDER BY version LIMIT :limit")
_CLOSE = text("""
    UPDATE breaker SET opened_at = NULL, reason = NULL, in_a_row = 0, counted = 0, poisoned = 0,
        closed_at = clock_timestamp(), closed_by = :actor
    WHERE opened_at IS NOT NULL RETURNING *
""")


async def page(engine: AsyncEngine, *, after: str, limit: int) -> Sequence[Breaker]:
    """Return the breaker of each version of the code, in the order of the versions' names."""
    async with engine.connect() as connection:
        rows = await connection.execute(_PAGE, {"after": after, "limit": limit})
        return [_shown(row) for row in rows]


async def close(engine: AsyncEngine, *, actor: str) -> Sequence[Breaker]:
    """Close it for every version of the code; return what was open."""
    async with engine.begin() as connection:
        closed = [_shown(row) for row in await connection.execute(_CLOSE, {"actor": actor})]
    for each in closed:
        log.warning("breaker_closed", version=each.id, actor=actor)
    return closed


def _shown(row: Row[Any]) -> Breaker:
    return Breaker(
        id=row.version,
        state="open" if row.opened_at else "closed",
        reason=row.reason,
        in_a_row=row.in_a_row,
        counted=row.counted,
        poisoned=row.poisoned,
        created_at=row.since,
        updated_at=row.asked_at,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
    )
