"""Finds the template of a request's route (`/v1/leads/{lead_id}`), with the prefixes of routers.

Logs, metrics and `Allow` need it: a path holds ids and tokens, a template does not.
"""

from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.types import Scope

UNMATCHED = "unmatched"


class RouteTemplates:
    """The templates of one app, read once, when all its routes are there."""

    def __init__(self, app: FastAPI) -> None:
        """Read all routes, those of included routers too."""
        self._by_endpoint: dict[object, str] = {}
        self._methods: dict[str, set[str]] = {}
        for endpoint, path, methods in _routes(app):
            self._by_endpoint[endpoint] = path
            self._methods.setdefault(path, set()).update(methods)

    def of(self, scope: Scope) -> str:
        """Return the template of the route that a request was given to."""
        return self._by_endpoint.get(scope.get("endpoint"), UNMATCHED)

    def methods(self, scope: Scope) -> list[str]:
        """Return all methods that a request's address takes."""
        return sorted(self._methods.get(self.of(scope), ()))


def templates_of(app: FastAPI) -> RouteTemplates:
    """Return the app's templates, made at the first call."""
    known = getattr(app.state, "route_templates", None)
    if not isinstance(known, RouteTemplates):
        known = app.state.route_templates = RouteTemplates(app)
    return known


def _routes(app: FastAPI) -> Iterator[tuple[object, str, set[str]]]:
    for context in iter_route_contexts(app.routes):
        if context.endpoint is not None and context.path is not None:
            yield context.endpoint, context.path, set(context.methods or ())
