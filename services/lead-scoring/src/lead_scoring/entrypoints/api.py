"""Scoring's API: its routes, and the one table from domain errors to problems."""

from collections.abc import Mapping
from importlib.metadata import version
from types import MappingProxyType

from fastapi import FastAPI

from lead_scoring.domain.scorecard import ScorecardPublished
from lead_scoring.entrypoints.context import Context
from lead_scoring.entrypoints.routes import scorecards, scores
from lead_scoring.service import SERVICE
from shared.operations import replays
from shared.operations import routes as operations
from shared.web.app import Lifespan, create_app
from shared.web.problems import ProblemType

ERRORS: Mapping[type[Exception], ProblemType] = MappingProxyType(
    {
        ScorecardPublished: ProblemType(
            409, "scorecard-published", "A published scorecard never changes"
        ),
    }
)


def build_api(context: Context, *, lifespan: Lifespan | None = None) -> FastAPI:
    """Return the app that serves scores and scorecards."""
    return create_app(
        service=SERVICE,
        version=version(SERVICE),
        routers=[
            scores.routes(context),
            scorecards.routes(context),
            operations.routes(context.engine, context.keyring),
            replays.routes(context.engine, context.keyring, SERVICE),
        ],
        errors=ERRORS,
        lifespan=lifespan,
    )
