"""The HTTP protocol of the server: uvicorn's own on httptools, that also cuts who sends slowly.

uvicorn waits for a head or a body for ever: 1,100 silent connections were a total outage. Here a
head has 5 s, a body 15 s, and a head has a size. While the turnstile is full, what came is held and
little more is read. Size and time of what is read are the gate's.
"""

import asyncio
import json
import time
from functools import cache
from typing import cast

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from shared import limits
from shared.telemetry import metrics
from shared.web.one_write import OneWrite
from shared.web.problems import MEDIA_TYPE, Problem
from shared.web.turnstile import BUSY, PLACE, Place, Turnstile

MAX_HEAD_BYTES = 65_536
MAX_HEADERS = 100
_MOST_HELD_BYTES = 65_536
_HELD_AND_READ_BYTES = 4_096
"""Up to so much a held connection is still read: to stop and go on costs more than a small lead."""
_SWEEP_SECONDS = 1.0
_LOOKED_AT_AT_ONCE, _CUT_AT_ONCE = 500, 20
_BREATH_SECONDS = 0.004
"""Cutting hundreds at one go held up everybody else's request for 0.2 s."""
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
    _held: bytes = b""
    _turning_away: bool = False
    _place: Place | None = None
    _leaving: bool = False
    _head_bytes: int | None = 0
    _body_bytes: int = 0
    _refusal: Problem = _MALFORMED

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._deadline = time.monotonic() + limits.REQUEST_HEAD

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._turnstile.forget(self)
        super().connection_lost(exc)
        # uvicorn ends its timer only after a goodbye: one that was reset would be kept for 75 s.
        self._unset_keepalive_if_required()

    @property
    def _turnstile(self) -> Turnstile:
        return cast("Turnstile", self.app)

    @override
    def data_received(self, data: bytes) -> None:
        if self._held or (self._turnstile.is_full and not self._is_worked_on()):
            self._hold(data)
        else:
            self._take(data)

    def _hold(self, data: bytes) -> None:
        """Keep what came for now; who sends much is not read on."""
        if not self._held:
            self._turnstile.queue(self)
        self._held += data
        self._unset_keepalive_if_required()
        if len(self._held) > _HELD_AND_READ_BYTES:
            self.flow.pause_reading()
        if len(self._held) > _MOST_HELD_BYTES:
            self._turnstile.turn_away(self)

    def read_on(self, waited: float) -> None:
        """Go on with what was held; the sender's own time stood still meanwhile."""
        data, self._held = self._held, b""
        if self._deadline is not None:
            self._deadline += waited
        if not self.transport.is_closing():
            self.flow.resume_reading()
            self._take(data)

    def turn_away(self, waited: float) -> None:
        """Answer 503 to who was not read in time; half-way in a body only a close is an end."""
        if self._is_begun():
            metrics.TURNED_AWAY.inc()
            self.refuse(BUSY)
            return
        self._turning_away = True
        self.read_on(waited)
        self._turning_away = False

    def _take(self, data: bytes) -> None:
        in_head = self._head_bytes is not None
        super().data_received(data)
        if in_head and self._head_bytes is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.refuse(_HEAD)
        if self._deadline is None and self.timeout_keep_alive_task is None and not self._is_begun():
            # blank lines: they begin nothing, but end the time for which an idle connection is kept
            self._deadline = time.monotonic() + limits.REQUEST_HEAD

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
        self._place = Place(self._turnstile, refused=self._turning_away)
        cast("dict[str, object]", self.scope)[PLACE] = self._place
        super().on_headers_complete()
        if not self.expect_100_continue and self.cycle.scope["method"] != "HEAD":
            self.cycle.transport = cast("asyncio.Transport", OneWrite(self.transport))
        if self._leaving:
            self.cycle.keep_alive = False
        if self._turning_away and self.expect_100_continue:
            self.cycle.keep_alive = False  # who waits for our word never sends the body
        if not self.pipeline:
            self._place.begin()

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
        elif self._place is not None:
            self._place.is_whole()

    def _wait_for_the_next(self) -> None:
        """Keep the connection after an answer that was given before the body was read.

        Closing it unannounced would lose the sender's next request; uvicorn ended its own timer
        when the rest of the body came.
        """
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def leave(self) -> None:
        """Let the next answer be the last, and say so in it: closing unannounced loses requests."""
        self._leaving = True
        if self._is_begun() and not self.cycle.response_started:
            self.cycle.keep_alive = False

    @override
    def shutdown(self) -> None:
        if self._held:
            self._turnstile.turn_away(self)
        super().shutdown()

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

    def _is_begun(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete

    def _is_worked_on(self) -> bool:
        return self._is_begun() and not self.cycle.more_body

    def sweep(self, now: float) -> bool:
        """Cut the connection if its time is over, and tell; one that does not close is broken off.

        While it is held it is we who are slow.
        """
        if self.transport.is_closing():
            self._closing_since = self._closing_since or now
            if now - self._closing_since > _CLOSING_SECONDS:
                self.transport.abort()
        elif self._deadline is not None and now > self._deadline and not self._held:
            self.refuse(_SLOW)
            return True
        return False


async def sweep_for_ever(state: ServerState) -> None:
    """Look at every connection once a second."""
    began = time.monotonic()
    while True:
        await asyncio.sleep(began + _SWEEP_SECONDS - time.monotonic())
        began, cut = time.monotonic(), 0
        for number, connection in enumerate(list[object](state.connections), 1):
            if isinstance(connection, PatientProtocol) and connection.sweep(time.monotonic()):
                cut += 1
                if cut % _CUT_AT_ONCE == 0:
                    await asyncio.sleep(_BREATH_SECONDS)
            if number % _LOOKED_AT_AT_ONCE == 0:
                await asyncio.sleep(0)


@cache
def _raw(problem: Problem) -> bytes:
    body = json.dumps(problem.document()).encode()
    headers = {**(problem.headers or {}), "content-type": MEDIA_TYPE}
    lines = [
        *(f"{name.lower()}: {value}" for name, value in headers.items()),
        f"content-length: {len(body)}",
        "connection: close",
    ]
    return STATUS_LINE[problem.status_code] + "\r\n".join([*lines, "", ""]).encode() + body
