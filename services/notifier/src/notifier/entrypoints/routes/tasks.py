"""Tasks over HTTP: what is to be done, and what people do about it.

No rule lives here. Complete, snooze and reassign can be repeated: the second time changes nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import ConfigDict, Field

from notifier.adapters import desks, tasks
from notifier.domain.task import BadSnooze
from notifier.entrypoints.answers import found, wrong
from notifier.entrypoints.bodies import Reassignment, Snooze
from notifier.entrypoints.context import Context
from notifier.queries import tasks as queries
from notifier.queries.tasks import Position, TaskFilter, TaskRecord
from notifier.usecases.complete_task import CompleteTask, complete_task
from notifier.usecases.desk import Desk, UnknownRep
from notifier.usecases.reassign_task import ReassignTask, reassign_task
from notifier.usecases.snooze_task import SnoozeTask, snooze_task
from shared.contracts.event import Event
from shared.ids import LeadId, RepId, TaskId
from shared.messaging import outbox, subjects
from shared.messaging.outbox import Cause
from shared.web import pages, preconditions
from shared.web.body import json_body
from shared.web.pages import Page
from shared.web.preconditions import IfMatch, etag
from shared.web.problems import responses
from shared.web.values import Instant


class Act(Protocol):
    """A use case that has its command already."""

    def __call__(self, desk: Desk, *, now: datetime) -> Sequence[Event]:
        """Change the task on the desk; return what is said."""
        ...


class TaskQuery(TaskFilter):
    """The query of the list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(pages.DEFAULT_LIMIT, ge=1, le=pages.MAX_LIMIT)
    cursor: str | None = Field(None, max_length=1_000)


def routes(context: Context) -> APIRouter:
    """Return the routes under `/v1/tasks`."""
    router = APIRouter(prefix="/v1/tasks", tags=["tasks"])
    for add in (_list, _show, _complete, _snooze, _reassign):
        add(router, context)
    return router


def _list(router: APIRouter, context: Context) -> None:
    @router.get("", dependencies=[Depends(context.keyring.require("tasks:read"))])
    async def list_tasks(
        wanted: Annotated[TaskQuery, Query()],
    ) -> Page[TaskRecord]:
        """List tasks, the first due first."""
        after = pages.decode(wanted.cursor, tuple[Instant, UUID])
        async with context.engine.connect() as connection:
            rows = await queries.page(connection, wanted, after=after, limit=wanted.limit + 1)
        items, following = pages.cut(rows, wanted.limit, _position)
        return Page(items=list(items), next=following)


def _position(record: TaskRecord) -> Position:
    return (record.due_at, record.id)


def _show(router: APIRouter, context: Context) -> None:
    @router.get("/{task_id}", dependencies=[Depends(context.keyring.require("tasks:read"))])
    async def show_task(task_id: UUID, response: Response) -> TaskRecord:
        """Show one task."""
        async with context.engine.connect() as connection:
            record = found(await queries.one(connection, task_id), "task")
        response.headers["ETag"] = etag(record.version)
        return record


def _complete(router: APIRouter, context: Context) -> None:
    @router.post(
        "/{task_id}/complete",
        name="complete_task",
        dependencies=[Depends(context.keyring.require("tasks:write"))],
        responses=responses(409, 412),
    )
    async def complete(task_id: UUID, response: Response, if_match: IfMatch = None) -> TaskRecord:
        """Say that it is done."""
        act = partial(complete_task, CompleteTask(task_id=TaskId(task_id)))
        record = await _do(context, TaskId(task_id), act, if_match)
        response.headers["ETag"] = etag(record.version)
        return record


def _snooze(router: APIRouter, context: Context) -> None:
    @router.post(
        "/{task_id}/snooze",
        name="snooze_task",
        dependencies=[Depends(context.keyring.require("tasks:write"))],
        responses=responses(409, 412),
    )
    async def snooze(
        task_id: UUID,
        body: Annotated[Snooze, Depends(json_body(Snooze))],
        response: Response,
        if_match: IfMatch = None,
    ) -> TaskRecord:
        """Give it a new due time, at which it can be due and overdue again."""
        act = partial(snooze_task, SnoozeTask(task_id=TaskId(task_id), until=body.until))
        try:
            record = await _do(context, TaskId(task_id), act, if_match)
        except BadSnooze as error:
            raise wrong("until", error) from None
        response.headers["ETag"] = etag(record.version)
        return record


def _reassign(router: APIRouter, context: Context) -> None:
    @router.post(
        "/{task_id}/reassign",
        name="reassign_task",
        dependencies=[Depends(context.keyring.require("tasks:write"))],
        responses=responses(409, 412),
    )
    async def reassign(
        task_id: UUID,
        body: Annotated[Reassignment, Depends(json_body(Reassignment))],
        response: Response,
        if_match: IfMatch = None,
    ) -> TaskRecord:
        """Give it to a rep; the deal keeps its owner."""
        owner_id = RepId(body.owner_id)
        act = partial(reassign_task, ReassignTask(task_id=TaskId(task_id), owner_id=owner_id))
        try:
            record = await _do(context, TaskId(task_id), act, if_match, reps=[owner_id])
        except UnknownRep as error:
            raise wrong("owner_id", error) from None
        response.headers["ETag"] = etag(record.version)
        return record


async def _do(
    context: Context,
    task_id: TaskId,
    act: Act,
    if_match: str | None,
    reps: Sequence[RepId] = (),
) -> TaskRecord:
    """Lock the task's lead, load, act, save, commit; return the task as it is then."""
    async with context.engine.begin() as connection:
        lead_id = found(await tasks.lead_of(connection, task_id), "task")
        lead = (await subjects.lock(connection, [lead_id]))[lead_id]
        now, lead_id = lead.locked_at, LeadId(lead.id)
        desk = await desks.lay_for_task(connection, task_id, lead_id=lead_id, rep_ids=reps)
        preconditions.check(if_match, desk.task(task_id).version, demanded=False)
        said = act(desk, now=now)
        await desks.save(connection, desk)
        await outbox.say(connection, said, Cause.of_request())
        return found(await queries.one(connection, task_id), "task")
