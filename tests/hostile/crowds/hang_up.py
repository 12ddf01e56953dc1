"""Clients that hang up half-way, with a goodbye (FIN) or without one (RST).

`{"port", "each", "at_once", "before", "after", "large", "first", "seed"}`: a request as in `burst`,
`large` one whose answer is long, how many of each kind, and how many are connected at once.
"""

import asyncio
import random
import socket
import struct
from typing import Any

from tests.hostile.crowds.program import Doors, main
from typing_extensions import override

HALF = ("half a head", "half a body")
WHOLE = ("after the body", "at the answer's first byte")
READING = ("half-way in a long answer",)
KINDS = HALF + WHOLE + READING
_LONGEST_SECONDS = 0.02
_GIVES_UP_SECONDS = 60.0
_ABRUPTLY = struct.pack("ii", 1, 0)  # SO_LINGER with no time left: close() sends a RST


class Quitter(asyncio.Protocol):
    """Sends what it sends, and leaves after a moment, or at the first byte that it gets."""

    def __init__(self, sent: bytes, *, after: float | None, abruptly: bool) -> None:
        self._sent, self._after, self._abruptly = sent, after, abruptly
        self.gone = asyncio.Event()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.write(self._sent)
        if self._after is not None:
            asyncio.get_running_loop().call_later(self._after, self._leave)

    @override
    def data_received(self, data: bytes) -> None:
        self._leave()

    def _leave(self) -> None:
        if self._transport.is_closing():
            return
        if self._abruptly:
            place = self._transport.get_extra_info("socket")
            place.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABRUPTLY)
        self._transport.abort()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()


def quitter(kind: str, request: bytes, large: bytes, chance: random.Random) -> Quitter:
    """Return a client of this kind; half of them leave abruptly."""
    body = request.index(b"\r\n\r\n") + 4
    sent = {
        "half a head": request[: body // 2],
        "half a body": request[: (body + len(request)) // 2],
        "half-way in a long answer": large,
    }
    waits = kind not in (WHOLE[1], *READING)
    after = chance.uniform(0, _LONGEST_SECONDS) if waits else None
    return Quitter(sent.get(kind, request), after=after, abruptly=chance.random() < 0.5)


async def hang_up(plan: dict[str, Any]) -> dict[str, Any]:
    """Hang up; return which numbers were sent by which kind."""
    doors, chance = Doors(plan["port"]), random.Random(plan["seed"])
    before, after = plan["before"].encode(), plan["after"].encode()
    numbers: dict[str, list[int]] = {kind: [] for kind in KINDS}
    places = asyncio.Semaphore(plan["at_once"])

    async def one(number: int) -> None:
        kind = KINDS[number % len(KINDS)]
        request = before + b"%09d" % number + after
        client = quitter(kind, request, plan["large"].encode(), chance)
        async with places, asyncio.timeout(_GIVES_UP_SECONDS):
            await doors.enter(lambda: client)
            await client.gone.wait()
        numbers[kind].append(number)

    first = plan["first"]
    async with asyncio.TaskGroup() as tasks:
        for number in range(first, first + plan["each"] * len(KINDS)):
            tasks.create_task(one(number))
    return numbers


if __name__ == "__main__":
    main(hang_up)
