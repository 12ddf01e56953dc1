"""Makes a service's web app: the same guards, answers and documents around every service's routes.

What is inside a route stays there: parse, lock, load, call one use case, save, commit, and only
then build the answer. Nothing here opens or closes a transaction.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute

from shared.web import failures, openapi, parameters
from shared.web.gate import Gate
from shared.web.observe import Observe
from shared.web.problems import ProblemType

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Any]]


def create_app(
    *,
    service: str,
    version: str,
    routers: Iterable[APIRouter],
    errors: Mapping[type[Exception], ProblemType],
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """Return the app of a service.

    `errors` is the one table from domain errors to problem types; the text of a domain error is
    answered as `detail`, so it is written for the caller.
    """
    app = FastAPI(
        title=service,
        version=version,
        lifespan=lifespan,
        redirect_slashes=False,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    for router in routers:
        app.include_router(router, dependencies=[Depends(parameters.refuse_unknown)])
    failures.install(app, errors)
    app.add_middleware(Gate)
    app.add_middleware(Observe)
    app.openapi = partial(openapi.describe, app)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
