"""Reps: `/v1/reps`. Who changes them takes the team's lock, as opening a deal does."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from sales_pipeline.adapters import desks
from sales_pipeline.domain.rep import RepState
from sales_pipeline.entrypoints.context import Context, no_such
from sales_pipeline.entrypoints.deal_change import Act
from sales_pipeline.queries import reps
from sales_pipeline.queries.reps import RepRecord
from sales_pipeline.usecases.add_rep import AddRep, add_rep
from sales_pipeline.usecases.change_rep import ChangeRep, change_rep
from sales_pipeline.usecases.desk import Desk
from shared.contracts.event import Event
from shared.ids import RepId, new_id
from shared.messaging import outbox, subjects
from shared.messaging.outbox import Cause
from shared.web import idempotency, pages, preconditions
from shared.web.body import Body, json_body
from shared.web.idempotency import IdempotencyKey, StoredAnswer
from shared.web.keys import Caller
from shared.web.pages import Page
from shared.web.preconditions import IfMatch
from shared.web.problems import responses
from shared.web.values import Email, Name


class NewRep(Body):
    """Somebody who sells."""

    name: Name = Field(examples=["Ada Lovelace"])
    email: Email
    state: RepState = RepState.ACTIVE
    fallback: bool = Field(default=False, strict=True, description="takes that over from another")


class ChangedRep(Body):
    """What is to change of a rep; a field that is left out stays."""

    name: Name | None = None
    email: Email | None = None
    state: RepState | None = None
    fallback: bool | None = Field(default=None, strict=True)


class RepQuery(BaseModel):
    """The query of the list."""

    model_config = ConfigDict(extra="forbid")

    state: RepState | None = None
    limit: int = Field(pages.DEFAULT_LIMIT, ge=1, le=pages.MAX_LIMIT)
    cursor: str | None = Field(None, max_length=1_000)


def routes(context: Context) -> APIRouter:
    """Return the routes to look at reps, to add and to change them."""
    router = APIRouter(tags=["reps"])
    _add_reading(router, context)
    _add_adding(router, context)
    _add_changing(router, context)
    return router


def _add_reading(router: APIRouter, context: Context) -> None:
    allowed = context.keyring.require("deals:read")

    @router.get("/v1/reps", dependencies=[Depends(allowed)])
    async def list_reps(query: Annotated[RepQuery, Query()]) -> Page[RepRecord]:
        """List reps in the order of their turns."""
        after = pages.decode(query.cursor, tuple[UUID])
        async with context.engine.connect() as connection:
            rows = await reps.page(
                connection, query.state, after=after and after[0], limit=query.limit + 1
            )
        items, following = pages.cut(rows, query.limit, lambda row: (row.id,))
        return Page(items=list(items), next=following)

    @router.get("/v1/reps/{rep_id}", dependencies=[Depends(allowed)])
    async def get_rep(rep_id: UUID, response: Response) -> RepRecord:
        """Show a rep; `ETag` is what `PATCH` wants as `If-Match`."""
        async with context.engine.connect() as connection:
            record = await reps.one(connection, rep_id)
        if record is None:
            raise no_such("rep", rep_id)
        response.headers["ETag"] = preconditions.etag(record.version)
        return record


def _add_adding(router: APIRouter, context: Context) -> None:
    allowed = context.keyring.require("reps:write")
    body = json_body(NewRep)

    @router.post("/v1/reps", status_code=201, response_model=RepRecord, responses=responses(409))
    async def post_rep(
        caller: Annotated[Caller, Depends(allowed)],
        content: Annotated[NewRep, Depends(body)],
        key: IdempotencyKey = None,
    ) -> Response:
        """Add a rep."""
        known = idempotency.fingerprint("add rep", content)
        async with context.engine.begin() as connection:
            answer = await idempotency.recall(connection, caller, key, known)
            if answer is None:
                rep_id = RepId(new_id())
                answer = await _carry_out(connection, rep_id, _adding(rep_id, content), 201)
                await idempotency.remember(
                    connection, caller, key, known, answer=answer, subject=rep_id
                )
        return answer.response()


def _add_changing(router: APIRouter, context: Context) -> None:
    allowed = context.keyring.require("reps:write")
    body = json_body(ChangedRep)

    @router.patch(
        "/v1/reps/{rep_id}",
        response_model=RepRecord,
        dependencies=[Depends(allowed)],
        responses=responses(409, 412, 428),
    )
    async def patch_rep(
        rep_id: UUID, content: Annotated[ChangedRep, Depends(body)], if_match: IfMatch = None
    ) -> Response:
        """Change a rep: away or back, another name, or the fallback owner from now on."""
        async with context.engine.begin() as connection:
            if await reps.one(connection, rep_id) is None:
                raise no_such("rep", rep_id)
            act = _changing(RepId(rep_id), content, if_match)
            answer = await _carry_out(connection, RepId(rep_id), act, 200)
        return answer.response()


def _adding(rep_id: RepId, content: NewRep) -> Act:
    command = AddRep(
        rep_id=rep_id,
        name=content.name,
        email=content.email,
        state=content.state,
        fallback=content.fallback,
    )

    def act(desk: Desk, *, now: datetime) -> list[Event]:
        return add_rep(command, desk, now=now)

    return act


def _changing(rep_id: RepId, content: ChangedRep, if_match: str | None) -> Act:
    command = ChangeRep(
        rep_id=rep_id,
        name=content.name,
        email=content.email,
        state=content.state,
        fallback=content.fallback,
    )

    def act(desk: Desk, *, now: datetime) -> list[Event]:
        preconditions.check(if_match, desk.reps[rep_id].version)
        return change_rep(command, desk, now=now)

    return act


async def _carry_out(
    connection: AsyncConnection, rep_id: RepId, act: Act, status: int
) -> StoredAnswer:
    """Lock the rep, then the team; act, save, say; return the answer."""
    locked = await subjects.lock(connection, [rep_id])
    desk = Desk()
    await desks.add_team(connection, desk)
    events = act(desk, now=locked[rep_id].locked_at)
    await desks.save(connection, desk)
    await outbox.say(connection, events, Cause.of_request())
    record = await reps.one(connection, rep_id)
    if record is None:
        raise no_such("rep", rep_id)
    headers = {"ETag": preconditions.etag(record.version)}
    if status == HTTPStatus.CREATED:
        headers["Location"] = f"/v1/reps/{rep_id}"
    return StoredAnswer(status, record.model_dump_json(), headers)
