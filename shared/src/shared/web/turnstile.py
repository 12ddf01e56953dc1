"""Lets so many requests be worked on at once; whoever comes then is read when one of them is done.

Counts work alone: a request that has come in whole and is not answered yet. Connections that are
idle or send slowly have no place, and who waits for an outcome gives it up (`step_aside`). Holding
what is not read yet, and the end of that wait, are the connection's (`slow_senders`).
"""

import asyncio
import time
from collections import OrderedDict
from contextvars import ContextVar, copy_context
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from shared import limits
from shared.telemetry import metrics
from shared.web.problems import RETRY_AFTER, Problem

MOST_AT_ONCE = 64
"""More at once make no more answers a second; each is later and, out of the cache, dearer."""
_LOOK_SECONDS = 0.25
_TURNED_AWAY_AT_ONCE = 100

BUSY = Problem(
    503,
    "too-busy",
    "Too much arrives at once",
    "Nothing was stored: ask again with the same key.",
    headers=RETRY_AFTER,
)
_ANSWER = BUSY.response()
PLACE = "handoff.place"
"""Where a connection leaves the `Place` of a request in its scope."""

_mine: ContextVar["Place | None"] = ContextVar("place", default=None)


class Unread(Protocol):
    """A connection that holds what came until there is room."""

    def read_on(self, waited: float) -> None:
        """Go on with what came so many seconds ago."""

    def turn_away(self, waited: float) -> None:
        """Answer what came so many seconds ago that there is no room."""


class Place:
    """One request's place: counted from when it is whole and begun until it is over."""

    __slots__ = ("_begun", "_counted", "_over", "_turnstile", "_whole", "refused")

    def __init__(self, turnstile: "Turnstile", *, refused: bool) -> None:
        """Count nothing yet; a request that is `refused` never counts."""
        self.refused = refused
        self._turnstile = turnstile
        self._whole = self._begun = self._counted = False
        self._over = refused

    def is_whole(self) -> None:
        """Note that all of the request has come."""
        self._whole = True
        self._count()

    def begin(self) -> None:
        """Note that its work begins: at once, unless it waits behind another on its connection."""
        self._begun = True
        self._count()

    def leave(self) -> None:
        """Let the next one have it."""
        self._over = True
        if self._counted:
            self._counted = False
            self._turnstile.count(-1)

    def _count(self) -> None:
        if self._whole and self._begun and not self._counted and not self._over:
            self._counted = True
            self._turnstile.count(1)


class Turnstile:
    """Stands before an app, and knows who works there and who waits outside."""

    def __init__(self, app: ASGIApp, *, most: int = MOST_AT_ONCE) -> None:
        """Let `most` requests be worked on at once."""
        self._app = app
        self._most = most
        self._working = 0
        self._unread: OrderedDict[Unread, float] = OrderedDict()
        self._outside = copy_context()
        self._letting_in = False

    @property
    def is_full(self) -> bool:
        """Whether the next one has to wait: for room, or behind those who are about to be read."""
        return self._working >= self._most or self._letting_in

    def queue(self, connection: Unread) -> None:
        """Let a connection read on as soon as there is room, the first to come first."""
        self._unread[connection] = time.monotonic()

    def forget(self, connection: Unread) -> None:
        """Let it wait no longer."""
        self._unread.pop(connection, None)

    def count(self, change: int) -> None:
        """Count one more or one less; where there is room, the next ones are read in a moment.

        Answers go out many at once, and so many are read at once: one after each answer cost a
        tenth more. They are not read in the context of a request that leaves.
        """
        self._working += change
        if self._unread and not self.is_full:
            self._letting_in = True
            asyncio.get_running_loop().call_soon(self._let_in, context=self._outside)

    def _let_in(self) -> None:
        self._letting_in = False
        now = time.monotonic()
        while self._unread and self._working < self._most:
            connection, since = self._unread.popitem(last=False)
            connection.read_on(now - since)

    def turn_away(self, connection: Unread) -> None:
        """Let a connection wait no longer, but tell its sender so."""
        since = self._unread.pop(connection, None)
        if since is not None:
            connection.turn_away(time.monotonic() - since)

    async def turn_away_for_ever(self) -> None:
        """Turn away who waits for too long; others may go on in between."""
        while True:
            more = self._turn_away_some()
            await asyncio.sleep(0 if more else _LOOK_SECONDS)

    def _turn_away_some(self) -> bool:
        """Turn away those who came first; tell whether more may have waited for too long."""
        too_long_ago = time.monotonic() - limits.UNREAD
        for _ in range(_TURNED_AWAY_AT_ONCE):
            first, since = next(iter(self._unread.items()), (None, 0.0))
            if first is None or since > too_long_ago:
                return False
            self.turn_away(first)
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and then let the next one in."""
        place: Place | None = scope.get(PLACE)
        if place is None:
            await self._app(scope, receive, send)
            return
        if place.refused:
            metrics.TURNED_AWAY.inc()
            await _ANSWER(scope, receive, send)
            return
        _mine.set(place)
        place.begin()
        try:
            await self._app(scope, receive, send)
        finally:
            place.leave()


def step_aside() -> None:
    """Give up the place of the request that runs here: it only waits from now on."""
    place = _mine.get()
    if place is not None:
        place.leave()
