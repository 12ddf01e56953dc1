"""Scores: read back what the worker made of each lead."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from lead_scoring.domain.lead import Qualification
from lead_scoring.entrypoints.context import Context
from lead_scoring.queries import scores
from lead_scoring.queries.scores import ScoreFilter, ScoreRecord
from shared.web import pages
from shared.web.pages import DEFAULT_LIMIT, Cursor, Limit, Page
from shared.web.problems import Problem
from shared.web.values import Instant

Grade = Annotated[
    str | None, Query(pattern="^[A-D][1-4]$", description="A1 to D4", examples=["A1"])
]
MinScore = Annotated[int | None, Query(ge=0, le=100, description="this score or a higher one")]
Since = Annotated[
    Instant | None, Query(description="changed at this moment or later, oldest change first")
]
State = Annotated[Qualification | None, Query(description="whether sales has the lead")]
LeadIdInPath = Annotated[UUID, Path(description="the lead's id")]


def _filter(
    grade: Grade = None,
    min_score: MinScore = None,
    qualification: State = None,
    updated_since: Since = None,
) -> ScoreFilter:
    return ScoreFilter(
        grade=grade,
        min_score=min_score,
        qualification=qualification,
        updated_since=updated_since,
    )


Wanted = Annotated[ScoreFilter, Depends(_filter)]


def routes(context: Context) -> APIRouter:
    """Return the routes of scores."""
    router = APIRouter(prefix="/v1/scores", tags=["scores"])
    may_read = Depends(context.keyring.require("scores:read"))

    @router.get("", dependencies=[may_read])
    async def list_scores(
        wanted: Wanted, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Page[ScoreRecord]:
        """List the scores of leads, newest lead first; with a filter the highest score first."""
        after = pages.decode(cursor, scores.position_shape(wanted))
        async with context.engine.connect() as connection:
            found = await scores.page(connection, wanted, after=after, limit=limit + 1)
        items, following = pages.cut(found, limit, lambda last: scores.position_of(last, wanted))
        return Page(items=list(items), next=following)

    @router.get("/{lead_id}", dependencies=[may_read])
    async def show_score(lead_id: LeadIdInPath) -> ScoreRecord:
        """Show the score of a lead with the entries that add up to it."""
        async with context.engine.connect() as connection:
            found = await scores.one(connection, lead_id)
        if found is None:
            raise _unknown()
        return found

    return router


def _unknown() -> Problem:
    return Problem(
        404,
        "unknown-lead",
        "No score of this lead is known",
        "Compare lead_id with what marketing-intake answered; a new lead is scored within seconds.",
    )
