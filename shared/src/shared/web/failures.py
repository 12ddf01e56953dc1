"""Decides what an exception becomes: the explicit way from what was raised to what is answered.

A service's domain errors come as a table. Errors of the database sort themselves in
`shared.database.errors`: whatever passes by itself is 503 with `Retry-After`, the rest is a bug,
500. Nothing of an error's own text is answered or logged: it can hold a person's data.
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from shared.database.errors import Kind, kind_of
from shared.loggers import get_logger
from shared.telemetry import tracing, trail
from shared.web import faults
from shared.web.problems import RETRY_AFTER, Problem, ProblemType
from shared.web.route_templates import templates_of

_LOG = get_logger(__name__)
_MAX_DETAIL = 500
_ADVICE = {
    404: "There is nothing at this address: compare it with the paths under /docs.",
    405: "This address does not take this method: the header Allow says which it takes.",
}
UNAVAILABLE = ProblemType(503, "unavailable", "Not available now")


def install(app: FastAPI, errors: Mapping[type[Exception], ProblemType]) -> None:
    """Give the app its answers to what routes raise on purpose."""
    for error, kind in errors.items():
        app.add_exception_handler(error, _domain_answer(kind))
    app.add_exception_handler(HTTPException, _http_answer)
    app.add_exception_handler(RequestValidationError, _invalid_answer)
    app.add_exception_handler(ClientDisconnect, _nobody_reads)


def unavailable(detail: str) -> Problem:
    """Return the problem for what passes by itself: ask again later, with the same key."""
    return Problem.of(UNAVAILABLE, detail, RETRY_AFTER)


def unexpected(error: Exception) -> Problem:
    """Return the problem for an exception that no route meant to raise, and log it."""
    passing = kind_of(error) in {Kind.INFRASTRUCTURE, Kind.CONTENTION}
    log = _LOG.warning if passing else _LOG.error
    log("request_failed", **trail.of(error))
    if passing:
        return unavailable("The database did not answer in time. Ask again with the same key.")
    _, trace, _, _ = (tracing.current() or "---").split("-")
    return Problem(500, "internal", "Our mistake", f"It is in our log under the trace {trace}.")


def _domain_answer(kind: ProblemType) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(_request: Request, error: Exception) -> Response:
        return Problem.of(kind, str(error)[:_MAX_DETAIL] or None).response()

    return answer


async def _http_answer(request: Request, error: Exception) -> Response:
    if isinstance(error, Problem):
        return error.response()
    if not isinstance(error, HTTPException):  # pragma: no cover  the handler's type is wider
        raise error
    phrase = HTTPStatus(error.status_code).phrase
    given = error.detail if error.detail != phrase else None
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(templates_of(request.app).methods(request.scope))
    slug = phrase.lower().replace(" ", "-")
    detail = given or _ADVICE.get(error.status_code)
    return Problem(error.status_code, slug, phrase, detail, headers=headers).response()


async def _invalid_answer(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):  # pragma: no cover  as above
        raise error
    return faults.invalid(error.errors()).response()


async def _nobody_reads(_request: Request, _error: Exception) -> Response:
    return Problem(400, "sender-gone", "The sender went away").response()
