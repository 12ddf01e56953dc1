"""Orders to replay: what was asked, how far it is, and what came of it; a row of `replay_order`.

Every write is a short transaction of its own. Only the holder of the newest epoch may write, so a
worker that slept through its lease cannot set an order back.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.ids import new_id

Verb = Literal["heal", "republish", "restore"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks for.

    A heal goes by `since` (and `until`), or by `partition` with offsets, both of which it takes in;
    a republish by `since`, or by `lead_id`. A restore finds out by itself what is unknown here.
    """

    verb: Verb
    topics: tuple[str, ...]
    dry_run: bool
    since: datetime | None = None
    until: datetime | None = None
    partition: int | None = None
    from_offset: int | None = None
    to_offset: int | None = None
    lead_id: UUID | None = None


class WrongOrder(Exception):
    """An order that cannot be carried out as it is: which field is wrong, and how to mend it."""

    def __init__(self, field: str, sentence: str) -> None:
        """Say what is wrong with a field of the order."""
        super().__init__(sentence)
        self.field = field


@dataclass(slots=True)
class Order:
    """An order that is being carried out: where it goes on, and what was counted."""

    id: UUID
    wanted: Wanted
    asked_at: datetime
    epoch: int
    place: Any
    counts: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])

    def count(self, topic: str, what: str, events: int = 1) -> None:
        """Add to what is shown."""
        counted = self.counts.setdefault(topic, {})
        counted[what] = counted.get(what, 0) + events

    def values(self) -> dict[str, object]:
        """Return what is written of it."""
        return {
            "id": self.id,
            "epoch": self.epoch,
            "place": orjson.dumps(self.place).decode(),
            "counts": orjson.dumps(self.counts).decode(),
        }


Keep = Callable[[Order], Awaitable[bool]]
"""Writes how far an order is; tells whether to go on."""

_ASK = text("""
    INSERT INTO replay_order (id, verb, topics, since, until, partition, from_offset, to_offset,
                              lead_id, dry_run, actor)
    VALUES (:id, :verb, :topics, :since, :until, :partition, :from_offset, :to_offset,
            :lead_id, :dry_run, :actor)
    RETURNING *
""")
_LOOK = text("SELECT * FROM replay_order WHERE id = :id")
_PAGE = text("""
    SELECT * FROM replay_order WHERE CAST(:before AS uuid) IS NULL OR id < :before
    ORDER BY id DESC LIMIT :limit
""")
_CANCEL = text("""
    UPDATE replay_order SET done_at = clock_timestamp(), cancelled_by = :actor, held = NULL
    WHERE id = :id AND done_at IS NULL
""")
# The one that waited longest: whatever is held lets the others go first.
_TAKE = text("""
    UPDATE replay_order SET epoch = :epoch, touched_at = clock_timestamp()
    WHERE id = (
        SELECT id FROM replay_order WHERE done_at IS NULL
        ORDER BY touched_at NULLS FIRST, asked_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING *
""")
_SAVE = text("""
    UPDATE replay_order
    SET place = CAST(:place AS jsonb), counts = CAST(:counts AS jsonb), held = NULL,
        touched_at = clock_timestamp()
    WHERE id = :id AND epoch = :epoch
    RETURNING done_at IS NULL
""")
_HOLD = text("""
    UPDATE replay_order
    SET place = CAST(:place AS jsonb), counts = CAST(:counts AS jsonb), held = :reason,
        touched_at = clock_timestamp()
    WHERE id = :id AND epoch = :epoch AND done_at IS NULL
""")
_FINISH = text("""
    UPDATE replay_order SET done_at = clock_timestamp(), held = NULL, error = :error, field = :field
    WHERE id = :id AND epoch = :epoch AND done_at IS NULL
""")


async def ask(connection: AsyncConnection, wanted: Wanted, *, actor: str) -> Row[Any]:
    """Write an order; return its row."""
    values = {name: getattr(wanted, name) for name in Wanted.__slots__}
    values |= {"id": new_id(), "topics": list(wanted.topics), "actor": actor}
    return (await connection.execute(_ASK, values)).one()


async def look(connection: AsyncConnection, order_id: UUID) -> Row[Any] | None:
    """Return an order as it stands."""
    return (await connection.execute(_LOOK, {"id": order_id})).one_or_none()


async def page(
    connection: AsyncConnection, *, before: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """Return orders, the newest first."""
    return (await connection.execute(_PAGE, {"before": before, "limit": limit})).all()


async def cancel(connection: AsyncConnection, order_id: UUID, *, actor: str) -> None:
    """End an order, unless it is over already. A batch that is under way still has its effect."""
    await connection.execute(_CANCEL, {"id": order_id, "actor": actor})


async def take(engine: AsyncEngine, epoch: int) -> Order | None:
    """Return an order that is not done; whoever worked on it before can write no more of it."""
    async with engine.begin() as connection:
        row = (await connection.execute(_TAKE, {"epoch": epoch})).one_or_none()
    return _order(row) if row else None


async def save(engine: AsyncEngine, order: Order) -> bool:
    """Write how far an order is; tell whether to go on: it is still open, and still ours."""
    return await _write(engine, _SAVE, order.values()) is True


async def hold(engine: AsyncEngine, order: Order, reason: str) -> None:
    """Write how far an order is, and why it waits."""
    await _write(engine, _HOLD, {**order.values(), "reason": reason})


async def finish(
    engine: AsyncEngine, order: Order, *, error: str | None = None, field: str | None = None
) -> None:
    """Write that an order is done, or why it cannot be; what was counted is written already."""
    values = {"id": order.id, "epoch": order.epoch, "error": error, "field": field}
    await _write(engine, _FINISH, values)


async def _write(
    engine: AsyncEngine, statement: TextClause, values: Mapping[str, object]
) -> object:
    async with engine.begin() as connection:
        result = await connection.execute(statement, dict(values))
        return result.scalar() if result.returns_rows else None


def _order(row: Row[Any]) -> Order:
    asked: dict[str, Any] = {name: getattr(row, name) for name in Wanted.__slots__}
    asked["topics"] = tuple(row.topics)
    order = Order(row.id, Wanted(**asked), row.asked_at, row.epoch, row.place, row.counts)
    # A dry run remembers what it would have written; whoever takes it over begins it again.
    if order.wanted.dry_run:
        order.place, order.counts = None, {}
    return order
