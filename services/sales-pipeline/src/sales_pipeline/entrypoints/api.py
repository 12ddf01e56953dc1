"""The door for people and programs: all routes, and the one table from broken rules to answers."""

from importlib.metadata import version

from fastapi import FastAPI

from sales_pipeline.domain.deal import AmountIncomplete, DealAlreadyAccepted, DealAlreadyClosed
from sales_pipeline.domain.rep import RepEmailTaken
from sales_pipeline.domain.routing import FallbackRequired
from sales_pipeline.domain.stage import IllegalStageMove
from sales_pipeline.domain.timeline import ActivityInTheFuture
from sales_pipeline.entrypoints.context import Context
from sales_pipeline.entrypoints.deal_change import LeadIsErased
from sales_pipeline.entrypoints.routes import deal_verbs, deals, purchases, reps
from sales_pipeline.service import SERVICE
from sales_pipeline.usecases.desk import UnknownRep
from shared.operations import replays
from shared.operations import routes as operations
from shared.web.app import Lifespan, create_app
from shared.web.problems import ProblemType

ERRORS: dict[type[Exception], ProblemType] = {
    ActivityInTheFuture: ProblemType(422, "activity-in-the-future", "An activity is what was done"),
    AmountIncomplete: ProblemType(422, "amount-incomplete", "The amount is incomplete"),
    DealAlreadyAccepted: ProblemType(409, "deal-already-accepted", "Another rep took the deal on"),
    DealAlreadyClosed: ProblemType(409, "deal-already-closed", "The deal has ended"),
    FallbackRequired: ProblemType(409, "fallback-required", "There must be a fallback owner"),
    IllegalStageMove: ProblemType(409, "illegal-stage-move", "The stage cannot follow"),
    LeadIsErased: ProblemType(409, "lead-erased", "The lead was erased"),
    RepEmailTaken: ProblemType(409, "rep-email-taken", "Another rep has this e-mail address"),
    UnknownRep: ProblemType(422, "unknown-rep", "owner_id or rep_id names no rep"),
}


def build_api(context: Context, lifespan: Lifespan | None = None) -> FastAPI:
    """Return the public app."""
    return create_app(
        service=SERVICE,
        version=version(SERVICE),
        routers=[
            *(module.routes(context) for module in (deals, deal_verbs, purchases, reps)),
            operations.routes(context.engine, context.keyring),
            replays.routes(context.engine, context.keyring, SERVICE),
        ],
        errors=ERRORS,
        lifespan=lifespan,
    )
