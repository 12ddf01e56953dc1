"""Stands before every route: no body above the cap, no handler above its time, no bare failure.

Pure ASGI. The server cuts those who send slowly (`slow_senders`); a route's own limits on fields
are its models'.
"""

import asyncio
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import limits
from shared.web import failures
from shared.web.problems import Problem
from shared.web.small_bodies import WHOLE

_MOST_LARGE_BYTES = 64 * limits.MAX_BODY_BYTES


def too_large(max_bytes: int) -> Problem:
    """Return the problem for a body above the cap."""
    return Problem(
        413, "body-too-large", "The body is too large", f"Send at most {max_bytes} bytes at once."
    )


@dataclass(slots=True)
class Room:
    """The memory for bodies that are not small: all of them share it, whoever sends slowly too."""

    left: int = _MOST_LARGE_BYTES

    def take(self, count: int) -> None:
        """Take some.

        Raises:
            Problem: 503, there is not so much left; nothing was taken.
        """
        if count > self.left:
            raise failures.unavailable("Too many large bodies come at once: nothing was stored.")
        self.left -= count


@dataclass(slots=True)
class Passage:
    """One request on its way through the gate. `waits`: its body is not there yet."""

    receive: Receive
    send: Send
    max_bytes: int
    handler_seconds: float
    room: Room
    waits: bool = True
    received: int = 0
    large: int = 0
    complete: bool = False
    started: bool = False
    clock: asyncio.Timeout = field(default_factory=lambda: asyncio.timeout(None))
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        """Give the handler its time from the head on: it may ask the database before it reads."""
        self.deadline = asyncio.get_running_loop().time() + self.handler_seconds

    async def take(self) -> Message:
        """Hand on a piece of the body; waiting for its sender is not the handler's time."""
        if self.complete:
            return await self.receive()
        message = await (self._wait() if self.waits else self.receive())
        self.complete = not message.get("more_body", False)
        self.received += len(message.get("body", b""))
        if self.received > self.max_bytes:
            raise too_large(self.max_bytes)
        self._find_room()
        return message

    async def _wait(self) -> Message:
        began = asyncio.get_running_loop().time()
        self.end_at(self.deadline + limits.REQUEST_BODY)
        message = await self.receive()
        self.deadline += asyncio.get_running_loop().time() - began
        self.end_at(self.deadline)
        return message

    def _find_room(self) -> None:
        more = self.received - limits.SMALL_BODY_BYTES - self.large
        if more > 0:
            self.room.take(more)
            self.large += more

    def leave(self) -> None:
        """Give back what the body took."""
        self.room.left += self.large

    async def give(self, message: Message) -> None:
        """Hand on a piece of the answer."""
        self.started = self.started or message["type"] == "http.response.start"
        await self.send(message)

    def end_at(self, moment: float) -> None:
        """Let the request take until then, by the loop's clock."""
        if not self.clock.expired():
            self.clock.reschedule(moment)


class Gate:
    """The middleware."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int = limits.MAX_BODY_BYTES,
        handler_seconds: float = limits.HANDLER,
    ) -> None:
        """Stand before `app`."""
        self._app = app
        self._max_bytes = max_bytes
        self._handler_seconds = handler_seconds
        self._room = Room()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or answer it with the problem that stopped it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        passage = Passage(
            receive, send, self._max_bytes, self._handler_seconds, self._room,
            waits=WHOLE not in scope,
        )  # fmt: skip
        try:
            problem = await self._problem_of(scope, passage)
        finally:
            passage.leave()
        if problem is not None and not passage.started:
            await problem.response()(scope, receive, send)

    async def _problem_of(self, scope: Scope, passage: Passage) -> Problem | None:
        length = _announced(scope)
        if length > self._max_bytes:
            return _refuse_unread(scope, self._max_bytes)
        try:
            async with passage.clock:
                passage.end_at(passage.deadline)
                await self._app(scope, passage.take, passage.give)
        except Problem as problem:
            return problem
        except Exception as error:  # noqa: BLE001  the last place that can still answer
            if passage.clock.expired() and isinstance(error, TimeoutError):
                return failures.unavailable("It took too long. Ask again with the same key.")
            return failures.unexpected(error)
        return None


def _announced(scope: Scope) -> int:
    """Return the announced length of the body; 0 where none is announced."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def _refuse_unread(scope: Scope, max_bytes: int) -> Problem:
    """Refuse a body that was announced too large; who waits for our word never sends it."""
    problem = too_large(max_bytes)
    if any(name == b"expect" for name, _ in scope["headers"]):
        problem.headers = {"Connection": "close"}
    return problem
