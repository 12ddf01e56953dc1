"""Waits for a small body before the app hears of a request: a slow sender costs next to nothing.

To ask for a key, read half a body and unwind all that when its sender is cut off costs several
times what the connection does. A large body, one whose size is not told, and one that waits for our
word are the app's own to read: it may refuse them before they come.
"""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import limits

WHOLE = "handoff.whole"
"""Stands in the scope of a request whose body is there already."""


class SmallBodies:
    """Stands before an app, which gets small bodies whole."""

    def __init__(self, app: ASGIApp) -> None:
        """Wait on behalf of `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on once its body is there; never, if its sender is gone before."""
        if scope["type"] == "http" and _is_small(dict(scope["headers"])):
            body = await _whole(receive)
            if body is None:
                return
            receive = _Read(body, receive)
            scope[WHOLE] = True
        await self._app(scope, receive, send)


class _Read:
    """Gives what was read already, and then what comes."""

    __slots__ = ("_body", "_receive")

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def _is_small(headers: Mapping[bytes, bytes]) -> bool:
    length = headers.get(b"content-length", b"")
    return (
        length.isdigit() and 0 < int(length) <= limits.SMALL_BODY_BYTES and b"expect" not in headers
    )


async def _whole(receive: Receive) -> bytes | None:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body
