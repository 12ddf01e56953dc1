"""Good clients: a request at each tick of a clock, whatever became of the ones before.

What is measured runs from the tick, so that an answer which is late makes late what follows it.
"""

import asyncio
import statistics
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from typing_extensions import override

from handoff.bench.client import length_of

_END_OF_HEAD = b"\r\n\r\n"


@dataclass
class Answers:
    """What came of a stretch of steady requests: when, after how many seconds, with what status."""

    seconds: list[tuple[float, float]] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def note(self, status: int, seconds: float) -> None:
        """Note an answer."""
        self.statuses[status] += 1
        self.seconds.append((time.perf_counter(), seconds))

    def p99(self) -> float:
        """Return what 99 of 100 answers did not exceed."""
        ordered = sorted(seconds for _, seconds in self.seconds)
        return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]

    def usual_worst(self) -> float:
        """Return the worst answer of a second, of half of the seconds.

        A machine that stands still for a moment is in few of them, a server that is busy in all.
        """
        worst: dict[int, float] = {}
        for at, seconds in self.seconds:
            worst[int(at)] = max(seconds, worst.get(int(at), 0.0))
        return statistics.median(worst.values())


class _Line(asyncio.Protocol):
    def __init__(self, steady: "Steady") -> None:
        self._steady = steady
        self._buffer = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def send(self, due: float, request: bytes) -> None:
        self._due = due
        self._transport.write(request)

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(_END_OF_HEAD)
        if end < 0 or len(self._buffer) < end + 4 + length_of(self._buffer[:end]):
            return
        status, self._buffer = int(self._buffer[9:12]), b""
        self._steady.answered(self, status, time.perf_counter() - self._due)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._steady.lost(self)


class Steady:
    """Asks at a steady pace; `answers` is what came since somebody last took it."""

    def __init__(self, port: int, make: Callable[[], bytes], a_second: float) -> None:
        self._port, self._make, self._every = port, make, 1 / a_second
        self._free: deque[_Line] = deque()
        self._due: deque[float] = deque()
        self.answers = Answers()

    def answered(self, line: _Line, status: int, seconds: float) -> None:
        """Note an answer; what is due already is sent at once."""
        self.answers.note(status, seconds)
        self._free.append(line)
        self._send()

    def lost(self, line: _Line) -> None:
        """Do without a line that was closed while it was idle."""
        if line in self._free:
            self._free.remove(line)

    def take(self) -> Answers:
        """Return what came so far, and begin anew."""
        taken, self.answers = self.answers, Answers()
        return taken

    async def run(self) -> None:
        """Ask for ever; cancel to stop."""
        due = time.perf_counter()
        while True:
            due += self._every
            await asyncio.sleep(due - time.perf_counter())
            self._due.append(due)
            if not self._free:
                await self.connect()
            self._send()

    async def connect(self) -> None:
        """Have one more line."""
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(lambda: _Line(self), "127.0.0.1", self._port)
        self._free.append(line)

    def _send(self) -> None:
        while self._due and self._free:
            # the one used last: so few lines are in use, and none is closed for idling
            self._free.pop().send(self._due.popleft(), self._make())


@asynccontextmanager
async def steadily(
    port: int, make: Callable[[], bytes], *, a_second: float
) -> AsyncGenerator[Steady]:
    """Ask all the while a block runs."""
    steady = Steady(port, make, a_second)
    task = asyncio.create_task(steady.run())
    try:
        yield steady
        assert not task.done(), task.result()
    finally:
        task.cancel()
        await asyncio.wait([task])
