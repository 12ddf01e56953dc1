"""The door for people and programs: all routes, and the one table from broken rules to answers."""

from importlib.metadata import version

from fastapi import FastAPI

from marketing_intake.domain.lead import (
    LeadAlreadyMerged,
    LeadIsErased,
    LeadMergedIntoItself,
    LeadNotFound,
)
from marketing_intake.entrypoints.context import Context
from marketing_intake.entrypoints.routes import (
    ads,
    forms,
    intake,
    leads,
    sources,
    submissions,
    touchpoints,
)
from marketing_intake.service import SERVICE
from shared.operations import replays
from shared.operations import routes as operations
from shared.web.app import Lifespan, create_app
from shared.web.problems import ProblemType

ERRORS: dict[type[Exception], ProblemType] = {
    LeadNotFound: ProblemType(404, "lead-not-found", "There is no such lead"),
    LeadMergedIntoItself: ProblemType(
        409, "merged-into-itself", "A lead cannot be merged into itself"
    ),
    LeadAlreadyMerged: ProblemType(409, "lead-already-merged", "The lead is an alias already"),
    LeadIsErased: ProblemType(409, "lead-is-erased", "The lead was erased"),
}
_MODULES = (intake, forms, ads, submissions, sources, touchpoints, leads)


def build_api(context: Context, lifespan: Lifespan | None = None) -> FastAPI:
    """Return the public app."""
    return create_app(
        service=SERVICE,
        version=version(SERVICE),
        routers=[
            *(module.routes(context) for module in _MODULES),
            operations.routes(context.engine, context.keyring),
            replays.routes(context.engine, context.keyring, SERVICE),
        ],
        errors=ERRORS,
        lifespan=lifespan,
    )
