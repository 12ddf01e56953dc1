"""The way of every request that changes a deal: recall, lock, load, act, save, say, remember.

All of it is one commit, and only after that the answer is given. What is done to the deal is the
`act`, one use case; what may be asked for is the routes' business.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from sales_pipeline.adapters import desks
from sales_pipeline.entrypoints.context import Context, no_such
from sales_pipeline.queries import deals, timelines
from sales_pipeline.usecases.desk import Desk
from shared.contracts.deal import DealAccepted
from shared.contracts.event import Event
from shared.ids import DealId, LeadId
from shared.messaging import outbox, subjects
from shared.messaging.outbox import Cause
from shared.messaging.subjects import Subject
from shared.telemetry import metrics
from shared.web import idempotency, preconditions
from shared.web.idempotency import StoredAnswer
from shared.web.keys import Caller


class LeadIsErased(Exception):
    """The deal's lead was erased: nothing is written about that person any more."""

    def __init__(self) -> None:
        """Say why."""
        super().__init__("This deal's lead was erased: nothing can be written about it any more.")


class Act(Protocol):
    """A use case with its command."""

    def __call__(self, desk: Desk, *, now: datetime) -> list[Event]:
        """Change what lies on the desk; return what is said."""
        ...


Show = Callable[[AsyncConnection, DealId, Desk], Awaitable[StoredAnswer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who asks for what to be done to which deal, under which `Idempotency-Key`."""

    caller: Caller
    deal_id: UUID
    verb: str
    content: BaseModel
    key: str | None = None

    def fingerprint(self) -> bytes:
        """Return what tells this request from another under the same `Idempotency-Key`."""
        return idempotency.fingerprint(f"{self.verb} deal {self.deal_id}", self.content)


async def show_deal(connection: AsyncConnection, deal_id: DealId, _desk: Desk) -> StoredAnswer:
    """Answer with the deal as it is now."""
    record = await deals.one(connection, deal_id)
    if record is None:
        raise no_such("deal", deal_id)
    headers = {"ETag": preconditions.etag(record.version)}
    return StoredAnswer(200, record.model_dump_json(), headers)


async def show_entry(connection: AsyncConnection, deal_id: DealId, desk: Desk) -> StoredAnswer:
    """Answer with the timeline's new entry."""
    record = await timelines.one(connection, desk.entries[-1].id)
    if record is None:
        raise no_such("entry of deal", deal_id)
    return StoredAnswer(201, record.model_dump_json())


async def change(context: Context, request: Request, act: Act, show: Show = show_deal) -> Response:
    """Do what is asked, once; the same request under the same key gets the same answer."""
    async with context.engine.begin() as connection:
        known = request.fingerprint()
        answer = await idempotency.recall(connection, request.caller, request.key, known)
        if answer is None:
            lead = await _lock(connection, request)
            answer = await _carry_out(connection, request, lead, act, show)
            await idempotency.remember(
                connection, request.caller, request.key, known, answer=answer, subject=lead.id
            )
    return answer.response()


async def _lock(connection: AsyncConnection, request: Request) -> Subject:
    """Lock the deal's lead: whatever else is done to its deals waits."""
    lead_id = await deals.lead_of(connection, request.deal_id)
    if lead_id is None:
        raise no_such("deal", request.deal_id)
    lead = (await subjects.lock(connection, [lead_id]))[lead_id]
    if lead.erased_at:
        raise LeadIsErased
    return lead


async def _carry_out(
    connection: AsyncConnection, request: Request, lead: Subject, act: Act, show: Show
) -> StoredAnswer:
    deal_id = DealId(request.deal_id)
    desk = await desks.lay(connection, lead_ids=[LeadId(lead.id)], deal_ids=[deal_id])
    await desks.add_reps_and_customers(connection, desk)
    events = act(desk, now=lead.locked_at)
    await desks.save(connection, desk)
    await outbox.say(connection, events, Cause.of_request())
    _measure(desk, events)
    return await show(connection, deal_id, desk)


def _measure(desk: Desk, events: Sequence[Event]) -> None:
    for event in events:
        if isinstance(event, DealAccepted):
            waited = event.occurred_at - desk.deals[DealId(event.deal_id)].asked_at
            metrics.SPEED_TO_LEAD.observe(max(0.0, waited.total_seconds()))
