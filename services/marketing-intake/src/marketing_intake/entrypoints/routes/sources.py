"""Sources: made, shown and changed by people; a record without rules of its own."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from marketing_intake.entrypoints.context import Context
from marketing_intake.entrypoints.models import SourceIn, SourcePatch
from marketing_intake.entrypoints.source_change import change, make
from marketing_intake.queries import sources as shown
from marketing_intake.queries.sources import SourceRecord
from shared.web.body import json_body
from shared.web.idempotency import IdempotencyKey, StoredAnswer, fingerprint, recall, remember
from shared.web.keys import Caller
from shared.web.pages import DEFAULT_LIMIT, Cursor, Limit, Page, cut, decode
from shared.web.preconditions import IfMatch, etag
from shared.web.problems import Problem, responses

_READ = ("leads:read", "sources:write")
_WRITE = "sources:write"
_NEW = json_body(SourceIn)
_CHANGE = json_body(SourcePatch)


def routes(context: Context) -> APIRouter:
    """Return the routes for sources."""
    router = APIRouter(tags=["sources"])
    _add_making(router, context)
    _add_reading(router, context)
    _add_changing(router, context)
    return router


def _add_making(router: APIRouter, context: Context) -> None:
    writer = context.keyring.require(_WRITE)

    @router.post("/v1/sources", status_code=201, response_model=SourceRecord)
    async def make_source(
        caller: Annotated[Caller, Depends(writer)],
        wanted: Annotated[SourceIn, Depends(_NEW)],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Make a source. Its path, for a form or an ad platform, has an unguessable token."""
        print_ = fingerprint("POST /v1/sources", wanted)
        async with context.engine.begin() as connection:
            known = await recall(connection, caller, idempotency_key, print_)
            if known is None:
                made = await make(connection, wanted)
                known = _answer(made, 201)
                kept = _answer(made.model_copy(update={"google_key": None}), 201)
                await remember(connection, caller, idempotency_key, print_, answer=kept)
        return known.response()


def _add_reading(router: APIRouter, context: Context) -> None:
    reader = context.keyring.require_any(*_READ, tied=True)

    @router.get("/v1/sources/{source_id}", responses=responses(401, 403, 404))
    async def show_source(
        source_id: UUID, response: Response, caller: Annotated[Caller, Depends(reader)]
    ) -> SourceRecord:
        """Show a source; its token only to who may write sources."""
        async with context.engine.connect() as connection:
            record = await shown.one(connection, source_id, with_token=_WRITE in caller.scopes)
        if record is None or caller.source_id not in (None, record.id):
            raise _unknown()
        response.headers["ETag"] = etag(record.version)
        return record

    @router.get("/v1/sources", responses=responses(401, 403))
    async def list_sources(
        caller: Annotated[Caller, Depends(reader)],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[SourceRecord]:
        """List sources, newest first."""
        after = decode(cursor, tuple[UUID])
        async with context.engine.connect() as connection:
            found = await shown.page(
                connection,
                after=after[0] if after else None,
                limit=limit + 1,
                with_token=_WRITE in caller.scopes,
                only=caller.source_id,
            )
        items, following = cut(found, limit, lambda record: (record.id,))
        return Page(items=list(items), next=following)


def _add_changing(router: APIRouter, context: Context) -> None:
    writer = context.keyring.require(_WRITE, tied=True)

    @router.patch("/v1/sources/{source_id}", responses=responses(404, 412, 428))
    async def change_source(
        source_id: UUID,
        response: Response,
        caller: Annotated[Caller, Depends(writer)],
        wanted: Annotated[SourcePatch, Depends(_CHANGE)],
        if_match: IfMatch = None,
    ) -> SourceRecord:
        """Change a source; submissions that resolve from now on are read by the new mapping."""
        if caller.source_id not in (None, source_id):
            raise _unknown()
        async with context.engine.begin() as connection:
            record = await change(connection, source_id, wanted, if_match)
        if record is None:
            raise _unknown()
        response.headers["ETag"] = etag(record.version)
        return record


def _answer(made: SourceRecord, status: int) -> StoredAnswer:
    headers = {"Location": f"/v1/sources/{made.id}", "ETag": etag(made.version)}
    return StoredAnswer(status, made.model_dump_json(), headers)


def _unknown() -> Problem:
    detail = "No source has this id: GET /v1/sources lists them."
    return Problem(404, "source-not-found", "There is no such source", detail)
