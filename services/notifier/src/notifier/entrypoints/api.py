"""The door for people and programs: the routes, and what each domain error is answered with."""

from collections.abc import Mapping
from importlib.metadata import version

from fastapi import FastAPI

from notifier.domain.task import CancelledTaskStaysCancelled, CompletedTaskStaysCompleted
from notifier.entrypoints.context import Context
from notifier.entrypoints.routes import playbooks, tasks
from notifier.service import SERVICE
from shared.operations import replays
from shared.operations import routes as operations
from shared.web.app import Lifespan, create_app
from shared.web.problems import ProblemType

ERRORS: Mapping[type[Exception], ProblemType] = {
    CompletedTaskStaysCompleted: ProblemType(
        409, "completed-task-stays-completed", "A completed task stays completed"
    ),
    CancelledTaskStaysCancelled: ProblemType(
        409, "cancelled-task-stays-cancelled", "A cancelled task stays cancelled"
    ),
}
"""Errors about one field of the body are answered by their route, which knows the field."""


def build_api(context: Context, lifespan: Lifespan | None = None) -> FastAPI:
    """Return the public app."""
    return create_app(
        service=SERVICE,
        version=version(SERVICE),
        routers=[
            tasks.routes(context),
            playbooks.routes(context),
            operations.routes(context.engine, context.keyring),
            replays.routes(context.engine, context.keyring, SERVICE),
        ],
        errors=ERRORS,
        lifespan=lifespan,
    )
