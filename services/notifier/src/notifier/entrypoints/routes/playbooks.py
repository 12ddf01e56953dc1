"""Playbooks over HTTP: the rules that turn an event into a task, edited by people.

A change holds for events that are heard from then on; tasks that were made stay as they are.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from notifier.adapters import playbooks
from notifier.domain import playbook
from notifier.domain.playbook import ImpossiblePlaybook
from notifier.entrypoints.answers import found, wrong
from notifier.entrypoints.bodies import NewPlaybook, PlaybookChange
from notifier.entrypoints.context import Context
from notifier.queries import playbooks as queries
from notifier.queries.playbooks import PlaybookRecord
from shared.web import idempotency, pages, preconditions
from shared.web.body import json_body
from shared.web.idempotency import IdempotencyKey, StoredAnswer, fingerprint
from shared.web.keys import Caller
from shared.web.pages import DEFAULT_LIMIT, Cursor, Limit, Page
from shared.web.preconditions import IfMatch, etag
from shared.web.problems import responses

_PATH = "/v1/playbooks"


def routes(context: Context) -> APIRouter:
    """Return the routes under `/v1/playbooks`."""
    router = APIRouter(prefix=_PATH, tags=["playbooks"])
    for add in (_list, _show, _add, _change):
        add(router, context)
    return router


def _list(router: APIRouter, context: Context) -> None:
    @router.get("", dependencies=[Depends(context.keyring.require("tasks:read"))])
    async def list_playbooks(
        limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Page[PlaybookRecord]:
        """List playbooks, the oldest first."""
        after = pages.decode(cursor, tuple[UUID])
        async with context.engine.connect() as connection:
            rows = await queries.page(connection, after=after and after[0], limit=limit + 1)
        items, following = pages.cut(rows, limit, lambda record: (record.id,))
        return Page(items=list(items), next=following)


def _show(router: APIRouter, context: Context) -> None:
    @router.get("/{playbook_id}", dependencies=[Depends(context.keyring.require("tasks:read"))])
    async def show_playbook(playbook_id: UUID, response: Response) -> PlaybookRecord:
        """Show one playbook."""
        async with context.engine.connect() as connection:
            record = found(await queries.one(connection, playbook_id), "playbook")
        response.headers["ETag"] = etag(record.version)
        return record


def _add(router: APIRouter, context: Context) -> None:
    @router.post("", status_code=201, response_model=PlaybookRecord)
    async def add_playbook(
        caller: Annotated[Caller, Depends(context.keyring.require("tasks:write"))],
        body: Annotated[NewPlaybook, Depends(json_body(NewPlaybook))],
        key: IdempotencyKey = None,
    ) -> Response:
        """Add a playbook; it holds for events that are heard from now on."""
        _check(body.event, body.condition, body.title)
        asked = fingerprint(f"POST {_PATH}", body)
        async with context.engine.begin() as connection:
            answer = await idempotency.recall(connection, caller, key, asked)
            if answer is None:
                playbook_id = await playbooks.add(connection, _columns(body.model_dump()))
                answer = _made(found(await queries.one(connection, playbook_id), "playbook"))
                await idempotency.remember(connection, caller, key, asked, answer=answer)
        return answer.response()


def _change(router: APIRouter, context: Context) -> None:
    @router.patch(
        "/{playbook_id}",
        dependencies=[Depends(context.keyring.require("tasks:write"))],
        responses=responses(412, 428),
    )
    async def change_playbook(
        playbook_id: UUID,
        body: Annotated[PlaybookChange, Depends(json_body(PlaybookChange))],
        response: Response,
        if_match: IfMatch = None,
    ) -> PlaybookRecord:
        """Change a playbook, or switch it off or on."""
        changes = body.model_dump(exclude_unset=True)
        async with context.engine.begin() as connection:
            await playbooks.lock(connection, playbook_id)
            seen = found(await queries.one(connection, playbook_id), "playbook")
            preconditions.check(if_match, seen.version)
            wanted = seen.model_copy(update=changes)
            _check(wanted.event, wanted.condition, wanted.title)
            await playbooks.change(connection, playbook_id, _columns(changes))
            record = found(await queries.one(connection, playbook_id), "playbook")
        response.headers["ETag"] = etag(record.version)
        return record


def _made(record: PlaybookRecord) -> StoredAnswer:
    headers = {"Location": f"{_PATH}/{record.id}", "ETag": etag(record.version)}
    return StoredAnswer(201, record.model_dump_json(), headers)


def _check(event: str, condition: Mapping[str, str], template: str) -> None:
    try:
        playbook.check(event=event, condition=condition, template=template)
    except ImpossiblePlaybook as error:
        raise wrong(error.field, error) from None


def _columns(fields: Mapping[str, object]) -> dict[str, object]:
    """Return fields as the table has them: durations are columns of seconds there."""
    columns = dict(fields)
    for name in columns.keys() & {"due_in", "grace"}:
        duration = columns.pop(name)
        if isinstance(duration, timedelta):
            columns[f"{name}_seconds"] = int(duration.total_seconds())
    return columns
