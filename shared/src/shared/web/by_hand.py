"""A route whose function gets the request and gives the response, with nothing between.

FastAPI looks with each request for what the function depends on, also where that is nothing: a
quarter of the work on the hot path. Such a route calls by hand what it depends on, and writes out
its OpenAPI.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import override


class ByHand(APIRoute):
    """What `route_class_override` takes, for a function of the request alone."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.endpoint
