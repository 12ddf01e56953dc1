"""Five kinds of slow senders: each opens a connection and keeps it for as long as it is let.

`{"port", "each", "a_second", "head", "body", "within"}`: how many of each kind, how many begin in a
second, the head and the body of a good request, and after how many seconds they give up.
"""

import asyncio
import itertools
import time
from collections.abc import Iterator
from typing import Any

from tests.hostile.crowds.program import Doors, main, paced
from typing_extensions import override

SLOW_HEADS = ("silent", "a byte a second of the head", "half a head")
SLOW_BODIES = ("a byte a second of the body", "half a body")
KINDS = SLOW_HEADS + SLOW_BODIES
_DRIP_SECONDS = 1.0


class SlowSender(asyncio.Protocol):
    """Sends something at once, then drips, and notes how long it was kept."""

    def __init__(self, at_once: bytes, drops: Iterator[bytes]) -> None:
        self._at_once, self._drops = at_once, drops
        self.kept: float | None = None
        self.said = b""
        self.ended = asyncio.Event()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._began = time.monotonic()
        if self._at_once:
            transport.write(self._at_once)
        self._drip()

    def _drip(self) -> None:
        drop = next(self._drops, None)
        if drop is not None and not self.ended.is_set():
            self._transport.write(drop)
            asyncio.get_running_loop().call_later(_DRIP_SECONDS, self._drip)

    @override
    def data_received(self, data: bytes) -> None:
        self.said += data

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.kept = time.monotonic() - self._began
        self.ended.set()


def sender(kind: str, head: bytes, body: bytes) -> SlowSender:
    """Return a sender of this kind."""
    at_once = {
        "half a head": head[: len(head) // 2],
        "a byte a second of the body": head,
        "half a body": head + body[: len(body) // 2],
    }
    dripping = {"a byte a second of the head": head, "a byte a second of the body": body}
    drops = (bytes([letter]) for letter in dripping.get(kind, b""))
    return SlowSender(at_once.get(kind, b""), drops)


async def slow(plan: dict[str, Any]) -> dict[str, Any]:
    """Be slow; return of each kind how many began, were closed, when at the latest, with what."""
    doors = Doors(plan["port"])
    head, body = plan["head"].encode(), plan["body"].encode()
    lines: dict[str, list[SlowSender]] = {kind: [] for kind in KINDS}

    async def begin(number: int) -> None:
        kind = KINDS[number % len(KINDS)]
        lines[kind].append(await doors.enter(lambda: sender(kind, head, body)))

    await paced(plan["each"] * len(KINDS), plan["a_second"], begin)
    ends = [asyncio.create_task(line.ended.wait()) for line in itertools.chain(*lines.values())]
    await asyncio.wait(ends, timeout=plan["within"])
    return {kind: _tell(of_kind) for kind, of_kind in lines.items()}


def _tell(lines: list[SlowSender]) -> dict[str, Any]:
    kept = [line.kept for line in lines if line.kept is not None]
    told = sum(line.said.startswith(b"HTTP/1.1 408 ") for line in lines)
    return {
        "begun": len(lines),
        "closed": len(kept),
        "told_408": told,
        "shortest": min(kept, default=0.0),
        "longest": max(kept, default=0.0),
    }


if __name__ == "__main__":
    main(slow)
