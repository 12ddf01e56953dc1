"""Submissions: what became of them; a parked one may be tried again."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from marketing_intake.adapters import submissions
from marketing_intake.domain.submission import State
from marketing_intake.entrypoints.context import Context
from marketing_intake.queries import submissions as shown
from marketing_intake.queries.submissions import SubmissionRecord
from shared.web.keys import Caller
from shared.web.pages import DEFAULT_LIMIT, Cursor, Limit, Page, cut, decode
from shared.web.problems import Problem, responses


def routes(context: Context) -> APIRouter:
    """Return the routes for submissions."""
    router = APIRouter(tags=["submissions"])
    _add_reading(router, context)
    _add_retrying(router, context)
    return router


def _add_reading(router: APIRouter, context: Context) -> None:
    reader = context.keyring.require_any("leads:read", "leads:write", tied=True)

    @router.get("/v1/submissions/{submission_id}", responses=responses(401, 403, 404))
    async def show_submission(
        submission_id: UUID, caller: Annotated[Caller, Depends(reader)]
    ) -> SubmissionRecord:
        """Show what became of a submission."""
        async with context.engine.connect() as connection:
            record = await shown.one(connection, submission_id)
        if record is None or caller.source_id not in (None, record.source_id):
            raise _unknown()
        return record

    @router.get("/v1/submissions", responses=responses(401, 403))
    async def list_submissions(
        caller: Annotated[Caller, Depends(reader)],
        state: Annotated[State | None, Query(description="parked: waits for a person")] = None,
        source_id: UUID | None = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[SubmissionRecord]:
        """List submissions, newest first."""
        after = decode(cursor, tuple[UUID])
        if caller.source_id and source_id not in (None, caller.source_id):
            return Page(items=[], next=None)
        async with context.engine.connect() as connection:
            found = await shown.page(
                connection,
                state=state,
                source_id=caller.source_id or source_id,
                after=after[0] if after else None,
                limit=limit + 1,
            )
        items, following = cut(found, limit, lambda record: (record.id,))
        return Page(items=list(items), next=following)


def _add_retrying(router: APIRouter, context: Context) -> None:
    writer = context.keyring.require("sources:write", tied=True)

    @router.post(
        "/v1/submissions/{submission_id}/retry",
        status_code=202,
        response_class=Response,
        responses=responses(409),
    )
    async def retry_submission(
        submission_id: UUID, caller: Annotated[Caller, Depends(writer)]
    ) -> Response:
        """Try a parked submission again, say after its source's mapping was mended."""
        async with context.engine.begin() as connection:
            record = await shown.one(connection, submission_id)
            if record is None or caller.source_id not in (None, record.source_id):
                raise _unknown()
            again = await submissions.retry(connection, submission_id)
        if not again:
            detail = "Only a parked submission can be tried again: this one is not parked."
            raise Problem(409, "not-parked", "The submission is not parked", detail)
        return Response(status_code=202)


def _unknown() -> Problem:
    detail = "No submission has this id: compare it with the receipt_id that was answered."
    return Problem(404, "submission-not-found", "There is no such submission", detail)
