"""Routes for replaying: an order is written here and carried out by the worker.

Every service's API has them, for keys with the scope `operate`.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.responses import Response

from shared.clock import utc_now
from shared.messaging import subjects
from shared.messaging.replay import orders
from shared.messaging.replay.orders import Verb, Wanted
from shared.operations.replay_requests import Replaying
from shared.operations.routes import SCOPE
from shared.web import faults, pages
from shared.web.body import json_body
from shared.web.idempotency import IdempotencyKey, StoredAnswer, fingerprint, recall, remember
from shared.web.keys import Caller, Keyring
from shared.web.pages import DEFAULT_LIMIT, Cursor, Limit, Page
from shared.web.problems import FieldError, Problem, responses

State = Literal["waiting", "running", "held", "done", "failed", "cancelled"]
OrderId = Annotated[UUID, Path(description="the id of the order")]
_NEW = json_body(Replaying)
_SAID = text("""
    SELECT EXISTS (
        SELECT FROM outbox_archive WHERE subject = ANY(:names) AND topic = ANY(:topics)
    )
""")


class TopicCounts(BaseModel):
    """What became of a topic's events. Of a dry run: what would have."""

    topic: str
    read: int = Field(0, description="heal: records read")
    applied: int = Field(0, description="heal: events that were missing and took effect")
    duplicates: int = Field(0, description="events that had been heard, or are parked, or known")
    passed: int = Field(0, description="heal: events that only moved a position")
    parked: int = Field(0, description="heal: events that wait now, as of a gap or of poison")
    unreadable: int = Field(0, description="heal: records that are no events")
    sent: int = Field(0, description="republish: events sent again")
    taken_back: int = Field(0, description="restore: events that are known again")
    renumbered: int = Field(0, description="restore: events said since that go behind them")
    dropped: int = Field(0, description="restore: events that said again what was said before")


class ReplayOrder(BaseModel):
    """What somebody asked to be replayed, how far it is, and what came of it."""

    id: UUID
    verb: Verb
    topics: list[str]
    since: datetime | None
    until: datetime | None
    partition: int | None
    from_offset: int | None
    to_offset: int | None
    lead_id: UUID | None
    dry_run: bool
    actor: str = Field(description="the name of the key that was used")
    state: State
    held: str | None = Field(description="why it waits; it goes on by itself", examples=["breaker"])
    counts: list[TopicCounts]
    cancelled_by: str | None
    error: str | None = Field(description="why it failed")
    field: str | None = Field(description="which field of the order was wrong, if one was")
    done_at: datetime | None
    created_at: datetime
    updated_at: datetime


def routes(engine: AsyncEngine, keyring: Keyring, service: str) -> APIRouter:
    """Return the routes under `/v1/replays`."""
    router = APIRouter(prefix="/v1", tags=["operations"])
    _add_asking(router, engine, keyring, service)
    _add_reading(router, engine, keyring)
    _add_cancelling(router, engine, keyring)
    return router


def _add_asking(router: APIRouter, engine: AsyncEngine, keyring: Keyring, service: str) -> None:
    operator = keyring.require(SCOPE)

    @router.post("/replays", status_code=202, response_model=ReplayOrder)
    async def ask_replay(
        caller: Annotated[Caller, Depends(operator)],
        asked: Annotated[Replaying, Depends(_NEW)],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Have a range of topics heard again, or a part of the archive sent again, by the worker.

        Or, after its database was restored, have what the service said taken back from Kafka.
        Nothing takes effect twice, however often and beside whatever it is done.
        """
        wanted = asked.read(service, utc_now())
        print_ = fingerprint("POST /v1/replays", asked)
        async with engine.begin() as connection:
            known = await recall(connection, caller, idempotency_key, print_)
            if known is None:
                await _require_said(connection, wanted, service)
                known = _answer(await orders.ask(connection, wanted, actor=caller.name))
                await remember(connection, caller, idempotency_key, print_, answer=known)
        return known.response()


def _add_reading(router: APIRouter, engine: AsyncEngine, keyring: Keyring) -> None:
    allowed = Depends(keyring.require(SCOPE))

    @router.get("/replays", dependencies=[allowed])
    async def list_replays(
        limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Page[ReplayOrder]:
        """List orders to replay, the newest first."""
        before = pages.decode(cursor, tuple[UUID])
        async with engine.connect() as connection:
            rows = await orders.page(connection, before=before and before[0], limit=limit + 1)
        items, following = pages.cut(rows, limit, lambda row: (row.id,))
        return Page(items=[_shown(row) for row in items], next=following)

    @router.get("/replays/{order_id}", dependencies=[allowed])
    async def show_replay(order_id: OrderId) -> ReplayOrder:
        """Show how far an order is, and what came of it."""
        async with engine.connect() as connection:
            return await _one(connection, order_id)


def _add_cancelling(router: APIRouter, engine: AsyncEngine, keyring: Keyring) -> None:
    operator = keyring.require(SCOPE)

    @router.post("/replays/{order_id}/cancel", responses=responses(409))
    async def cancel_replay(
        order_id: OrderId, caller: Annotated[Caller, Depends(operator)]
    ) -> ReplayOrder:
        """End an order; what it did already stays done. Asked again, it is ended all the same."""
        async with engine.begin() as connection:
            await orders.cancel(connection, order_id, actor=caller.name)
            order = await _one(connection, order_id)
        if order.state != "cancelled":
            detail = f"The order {order_id} is over ({order.state}): there is nothing to cancel."
            raise Problem(409, "replay-is-over", "The order is over", detail)
        return order


async def _one(connection: AsyncConnection, order_id: UUID) -> ReplayOrder:
    row = await orders.look(connection, order_id)
    if row is None:
        detail = f"There is no order {order_id}: GET /v1/replays lists those there are."
        raise Problem(404, "not-found", "There is no such order", detail)
    return _shown(row)


async def _require_said(connection: AsyncConnection, wanted: Wanted, service: str) -> None:
    if wanted.lead_id is None:
        return
    names = await subjects.names_of(connection, wanted.lead_id)
    if await connection.scalar(_SAID, {"names": names, "topics": list(wanted.topics)}):
        return
    detail = f"{service} has sent nothing of this lead: compare lead_id with `handoff trace`"
    raise faults.refused(FieldError("body", "#/lead_id", "unknown_lead", detail))


def _answer(row: Row[Any]) -> StoredAnswer:
    location = {"Location": f"/v1/replays/{row.id}"}
    return StoredAnswer(202, _shown(row).model_dump_json(), location)


def _shown(row: Row[Any]) -> ReplayOrder:
    counts = [{"topic": topic, **counted} for topic, counted in sorted(row.counts.items())]
    # SQLAlchemy's public name for a row's columns.
    columns = row._mapping  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  as said above
    return ReplayOrder.model_validate(
        {
            **columns,
            "state": _state(row),
            "counts": counts,
            "created_at": row.asked_at,
            "updated_at": row.done_at or row.touched_at or row.asked_at,
        }
    )


def _state(row: Row[Any]) -> State:
    if row.cancelled_by is not None:
        return "cancelled"
    if row.done_at is not None:
        return "failed" if row.error else "done"
    if row.held is not None:
        return "held"
    return "waiting" if row.epoch is None else "running"
