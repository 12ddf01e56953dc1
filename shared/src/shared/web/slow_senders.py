"""The HTTP protocol of the server: uvicorn's own on httptools, that also cuts who sends slowly.

uvicorn waits for a head or a body for ever: 1,100 silent connections were a total outage. Here a
head has 5 s, a body 15 s, and a head has a size. Size and time of what is read are the gate's.
"""

import asyncio
import json
import time
from typing import cast

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from shared import limits
from shared.web.problems import MEDIA_TYPE, Problem

MAX_HEAD_BYTES = 65_536
MAX_HEADERS = 100
_SWEEP_SECONDS = 1.0
_CLOSING_SECONDS = 10.0
_MOST_UNREAD_BYTES = 64 * limits.MAX_BODY_BYTES
"""So much is read and thrown away after a 413: closing at once would take the answer back."""

_MALFORMED = Problem(
    400, "malformed-request", "This is not HTTP/1.1", "Send a well-formed head with one Host."
)
_SLOW = Problem(408, "too-slow", "The request came too slowly", "Send it at once.")
_HEAD = Problem(
    431,
    "head-too-large",
    "The head is too large",
    f"Send at most {MAX_HEADERS} headers and {MAX_HEAD_BYTES} bytes before the body.",
)


class Refused(Exception):
    """Ends the parser's work on a connection that is to be refused."""


class PatientProtocol(HttpToolsProtocol):
    """One connection, with the moment by which what it is sending must have come."""

    _deadline: float | None = None
    _closing_since: float | None = None
    _head_bytes: int | None = 0
    _body_bytes: int = 0
    _refusal: Problem = _MALFORMED

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._deadline = time.monotonic() + limits.REQUEST_HEAD

    @override
    def data_received(self, data: bytes) -> None:
        in_head = self._head_bytes is not None
        super().data_received(data)
        if in_head and self._head_bytes is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.refuse(_HEAD)

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._unset_keepalive_if_required()
        self._head_bytes, self._body_bytes = 0, 0
        self._deadline = time.monotonic() + limits.REQUEST_HEAD

    @override
    def on_headers_complete(self) -> None:
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > MAX_HEAD_BYTES or len(self.headers) > MAX_HEADERS:
            self._refusal = _HEAD
            raise Refused
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self._speaks_1_1()):
            raise Refused
        self._head_bytes = None
        self._deadline = time.monotonic() + limits.REQUEST_BODY
        super().on_headers_complete()

    @override
    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._body_bytes += len(body)
        if self._body_bytes > _MOST_UNREAD_BYTES:
            self.transport.close()

    @override
    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._deadline = None
        if self.cycle.response_complete:
            self._wait_for_the_next()

    def _wait_for_the_next(self) -> None:
        """Keep the connection after an answer that was given before the body was read.

        Closing it unannounced would lose the sender's next request; uvicorn ended its own timer
        when the rest of the body came.
        """
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    @override
    def send_400_response(self, msg: str) -> None:
        self.refuse(self._refusal)

    def refuse(self, problem: Problem) -> None:
        """Answer with a problem, if nothing was answered yet, and close."""
        if self.transport.is_closing():
            return
        if not self._has_answered():
            self.transport.write(_raw(problem))
        self.transport.close()

    def _speaks_1_1(self) -> bool:
        return self.parser is not None and self.parser.get_http_version() == "1.1"

    def _has_answered(self) -> bool:
        """Tell whether an answer goes out, or went out already to the request that still comes."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is None or not cycle.response_started:
            return False
        return self._head_bytes is None or not cycle.response_complete

    def sweep(self, now: float) -> None:
        """Cut the connection if its time is over; one that does not get closed is broken off."""
        if self.transport.is_closing():
            self._closing_since = self._closing_since or now
            if now - self._closing_since > _CLOSING_SECONDS:
                self.transport.abort()
        elif self._deadline is not None and now > self._deadline:
            self.refuse(_SLOW)


async def sweep_for_ever(state: ServerState) -> None:
    """Look at every connection once a second."""
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        now = time.monotonic()
        connections: list[object] = list(state.connections)
        for connection in connections:
            if isinstance(connection, PatientProtocol):
                connection.sweep(now)


def _raw(problem: Problem) -> bytes:
    body = json.dumps(problem.document()).encode()
    lines = [
        f"content-type: {MEDIA_TYPE}",
        f"content-length: {len(body)}",
        "connection: close",
    ]
    return STATUS_LINE[problem.status_code] + "\r\n".join([*lines, "", ""]).encode() + body
