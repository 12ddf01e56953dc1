"""Scorecards: write a draft, change it, publish it; published ones are there to read for ever."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from lead_scoring.adapters import scorecards as store
from lead_scoring.domain.scorecard import IllegalScorecard, Rulebook, Scorecard, State
from lead_scoring.entrypoints.context import Context
from lead_scoring.entrypoints.models import ScorecardChange, ScorecardIn
from lead_scoring.queries import scorecards
from lead_scoring.queries.scorecards import ScorecardRecord, ScorecardSummary
from lead_scoring.usecases.draft_scorecard import DraftScorecard, draft_scorecard
from lead_scoring.usecases.publish_scorecard import PublishScorecard, publish_scorecard
from shared.clock import utc_now
from shared.ids import new_id
from shared.web import faults, idempotency, pages, preconditions
from shared.web.body import json_body
from shared.web.idempotency import IdempotencyKey, StoredAnswer
from shared.web.keys import Caller
from shared.web.pages import DEFAULT_LIMIT, Cursor, Limit, Page
from shared.web.preconditions import IfMatch
from shared.web.problems import FieldError, Problem, responses

ScorecardId = Annotated[UUID, Path(description="a scorecard's id")]
InState = Annotated[State | None, Query(description="only those in this state")]


def routes(context: Context) -> APIRouter:
    """Return the routes of scorecards."""
    router = APIRouter(prefix="/v1/scorecards", tags=["scorecards"])
    _add_reading(router, context)
    _add_writing(router, context)
    _add_publishing(router, context)
    return router


def _add_reading(router: APIRouter, context: Context) -> None:
    may_read = Depends(context.keyring.require())  # any key: who edits rules must see them too

    @router.get("", dependencies=[may_read])
    async def list_scorecards(
        state: InState = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[ScorecardSummary]:
        """List scorecards, newest first; `state=active` is the one that scores now."""
        after = pages.decode(cursor, tuple[UUID])
        async with context.engine.connect() as connection:
            found = await scorecards.page(
                connection, state=state, after=after[0] if after else None, limit=limit + 1
            )
        items, following = pages.cut(found, limit, lambda last: (last.id,))
        return Page(items=list(items), next=following)

    @router.get("/{scorecard_id}", dependencies=[may_read])
    async def show_scorecard(scorecard_id: ScorecardId, response: Response) -> ScorecardRecord:
        """Show a scorecard with its rules."""
        async with context.engine.connect() as connection:
            found = await scorecards.one(connection, scorecard_id)
        if found is None:
            raise _unknown()
        response.headers["ETag"] = preconditions.etag(found.revision)
        return found


def _add_writing(router: APIRouter, context: Context) -> None:
    may_write = context.keyring.require("rules:write")

    @router.post("", status_code=201, response_model=ScorecardRecord)
    async def create_scorecard(
        caller: Annotated[Caller, Depends(may_write)],
        body: Annotated[ScorecardIn, Depends(json_body(ScorecardIn))],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Write a draft; it scores nobody until it is published."""
        seen = idempotency.fingerprint("POST /v1/scorecards", body)
        draft = _drafted(body.book())
        answer = _answer(draft, 201)
        async with context.engine.begin() as connection:
            before = await idempotency.recall(connection, caller, idempotency_key, seen)
            if before is None:
                await store.save(connection, [draft])
                await idempotency.remember(connection, caller, idempotency_key, seen, answer=answer)
        return (before or answer).response()

    @router.patch(
        "/{scorecard_id}",
        response_model=ScorecardRecord,
        responses=responses(409, 412, 428),
        dependencies=[Depends(may_write)],
    )
    async def change_scorecard(
        scorecard_id: ScorecardId,
        body: Annotated[ScorecardChange, Depends(json_body(ScorecardChange))],
        if_match: IfMatch = None,
    ) -> Response:
        """Change a draft; what was published never changes."""
        async with context.engine.begin() as connection:
            card = await _locked(connection, scorecard_id)
            preconditions.check(if_match, card.revision)
            changed = _revised(card, body.book(card.book))
            await store.save(connection, [changed])
        return _answer(changed, 200).response()


def _add_publishing(router: APIRouter, context: Context) -> None:
    may_write = context.keyring.require("rules:write")

    @router.post(
        "/{scorecard_id}/publish",
        response_model=ScorecardRecord,
        responses=responses(409, 412),
    )
    async def publish(
        caller: Annotated[Caller, Depends(may_write)],
        scorecard_id: ScorecardId,
        if_match: IfMatch = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Let a draft score from now on: each lead as it is next heard of."""
        seen = idempotency.fingerprint(f"POST /v1/scorecards/{scorecard_id}/publish")
        async with context.engine.begin() as connection:
            before = await idempotency.recall(connection, caller, idempotency_key, seen)
            if before is not None:
                return before.response()
            active = await store.lock_active(connection)
            draft = await _locked(connection, scorecard_id)
            preconditions.check(if_match, draft.revision, demanded=False)
            changed = publish_scorecard(PublishScorecard(draft, active), now=utc_now())
            await store.save(connection, changed)
            answer = _answer(changed[-1], 200)
            await idempotency.remember(connection, caller, idempotency_key, seen, answer=answer)
        return answer.response()


async def _locked(connection: AsyncConnection, scorecard_id: UUID) -> Scorecard:
    found = await store.lock(connection, scorecard_id)
    if found is None:
        raise _unknown()
    return found


def _drafted(book: Rulebook) -> Scorecard:
    try:
        return draft_scorecard(DraftScorecard(new_id(), book), now=utc_now())
    except IllegalScorecard as error:
        raise _illegal(error) from None


def _revised(card: Scorecard, book: Rulebook) -> Scorecard:
    try:
        return card.revise(book=book, now=utc_now())
    except IllegalScorecard as error:
        raise _illegal(error) from None


def _illegal(error: IllegalScorecard) -> Problem:
    """Name the places of a body in which its parts do not fit together."""
    found = [FieldError("body", f"#{f.pointer}", "rule", f.detail) for f in error.faults]
    return faults.refused(*found[: faults.MAX_ERRORS], count=len(found))


def _unknown() -> Problem:
    return Problem(
        404,
        "unknown-scorecard",
        "There is no such scorecard",
        "GET /v1/scorecards lists those that there are.",
    )


def _answer(card: Scorecard, status: int) -> StoredAnswer:
    headers = {"ETag": preconditions.etag(card.revision)}
    if status == 201:  # noqa: PLR2004  created
        headers["Location"] = f"/v1/scorecards/{card.id}"
    return StoredAnswer(status, scorecards.shown(card).model_dump_json(), headers)
