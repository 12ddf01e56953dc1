"""Many connections that offer requests at a rate, each the next one when it has its answer.

`{"port", "connections", "rate", "seconds", "before", "after", "first"}`: a request is `before`, its
number from `first` on, and `after`. At a rate beyond what can be answered it is a closed loop. The
seconds that count begin when all are connected; they send as soon as they are.
"""

import asyncio
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from tests.hostile.crowds.program import Doors, main, paced
from typing_extensions import override

from handoff.bench.client import length_of

_TICK = 0.002
_SETTLING_SECONDS = 0.5
_CONNECTS_A_SECOND = 2_000
_LAST_ANSWERS_WITHIN = 10.0
_END_OF_HEAD = b"\r\n\r\n"


@dataclass
class Burst:
    """The requests: how many are due by now, what became of each."""

    rate: float
    settling: float
    seconds: float
    before: bytes
    after: bytes
    number: int
    idle: deque["Sender"] = field(default_factory=deque)
    sent: int = 0
    good: list[int] = field(default_factory=list)
    good_in_time: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    waits: dict[int, list[float]] = field(default_factory=dict)
    without_advice: int = 0
    cut_off: int = 0
    began: float = field(default_factory=time.perf_counter)

    @property
    def elapsed(self) -> float:
        """The seconds since it began."""
        return time.perf_counter() - self.began

    def is_on(self) -> bool:
        """Tell whether it goes on."""
        return self.elapsed < self.settling + self.seconds

    def is_due(self) -> bool:
        """Tell whether one more is to be sent now."""
        return self.is_on() and self.sent < self.elapsed * self.rate

    def next(self) -> tuple[int, bytes]:
        """Return the next request with its number."""
        self.number += 1
        self.sent += 1
        return self.number, self.before + b"%09d" % self.number + self.after

    def answered(self, number: int, head: bytes, wait: float) -> None:
        """Note an answer."""
        status = int(head[9:12])
        self.statuses[status] += 1
        self.waits.setdefault(status, []).append(wait)
        if status // 100 == 2:
            self.good.append(number)
            self.good_in_time += self.is_on() and self.elapsed > self.settling
        elif b"retry-after: " not in head.lower():
            self.without_advice += 1


class Sender(asyncio.Protocol):
    """One connection of the burst."""

    def __init__(self, burst: Burst) -> None:
        self._burst = burst
        self._buffer = b""
        self._number: int | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._go_on()

    def _go_on(self) -> None:
        if self._burst.is_due():
            self.send()
        else:
            self._burst.idle.append(self)

    def send(self) -> None:
        """Send the next request."""
        self._number, request = self._burst.next()
        self._sent = time.perf_counter()
        self._transport.write(request)

    @override
    def data_received(self, data: bytes) -> None:
        if self._number is None:
            return  # a farewell to a line that was idle for too long
        self._buffer += data
        end = self._buffer.find(_END_OF_HEAD)
        if end < 0 or len(self._buffer) < end + 4 + length_of(self._buffer[:end]):
            return
        head, self._buffer = self._buffer[:end], b""
        self._burst.answered(self._number, head, time.perf_counter() - self._sent)
        self._number = None
        self._go_on()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._burst.cut_off += self._number is not None
        self._number = None
        if self in self._burst.idle:
            self._burst.idle.remove(self)


async def burst(plan: dict[str, Any]) -> dict[str, Any]:
    """Offer; return what was answered."""
    doors, count = Doors(plan["port"]), plan["connections"]
    before, after = plan["before"].encode(), plan["after"].encode()
    settling = count / _CONNECTS_A_SECOND + _SETTLING_SECONDS
    offered = Burst(plan["rate"], settling, plan["seconds"], before, after, plan["first"])

    async def connect(_: int) -> None:
        await doors.enter(lambda: Sender(offered))

    connecting = asyncio.create_task(paced(count, _CONNECTS_A_SECOND, connect))
    while offered.is_on():
        while offered.idle and offered.is_due():
            offered.idle.popleft().send()
        await asyncio.sleep(_TICK)
    await connecting
    await _last_answers(offered)
    return _tell(offered)


async def _last_answers(offered: Burst) -> None:
    until = time.perf_counter() + _LAST_ANSWERS_WITHIN
    while _open(offered) and time.perf_counter() < until:
        await asyncio.sleep(0.05)


def _open(offered: Burst) -> int:
    return offered.sent - offered.statuses.total() - offered.cut_off


def _tell(offered: Burst) -> dict[str, Any]:
    return {
        "sent": offered.sent,
        "good": offered.good,
        "a_second": offered.good_in_time / offered.seconds,
        "statuses": {str(status): count for status, count in offered.statuses.items()},
        "slowest": {str(status): max(waits) for status, waits in offered.waits.items()},
        "soonest": {str(status): min(waits) for status, waits in offered.waits.items()},
        "without_advice": offered.without_advice,
        "cut_off": offered.cut_off,
        "unanswered": _open(offered),
    }


if __name__ == "__main__":
    main(burst)
