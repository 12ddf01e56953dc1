"""Many connections that offer requests at a rate.

`{"port", "connections", "rate", "seconds", "before", "after", "first", "open"}`: a request is
`before`, its number from `first` on, and `after`. They are all connected at the beginning, and each
sends the next request when it has its answer: at a rate beyond what can be answered that is a
closed loop. `open`: a request that is due and finds no connection free is given a new one, whether
the others are answered or not, up to so many. The seconds that count begin a while later, when all
are connected.
"""

import asyncio
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, cast

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
    refused: list[int] = field(default_factory=list)
    good_in_time: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    waits: dict[int, list[float]] = field(default_factory=dict)
    without_advice: int = 0
    cut_off: int = 0
    began: float = field(default_factory=time.perf_counter)

    @property
    def lasts(self) -> float:
        """The seconds of all of it."""
        return self.settling + self.seconds

    @property
    def elapsed(self) -> float:
        """The seconds since it began."""
        return time.perf_counter() - self.began

    def is_on(self) -> bool:
        """Tell whether it goes on."""
        return self.elapsed < self.lasts

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
            return
        self.refused.append(number)
        self.without_advice += b"retry-after: " not in head.lower()


class Sender(asyncio.Protocol):
    """One connection of the burst; it may be made for a request, which waits for it."""

    def __init__(self, burst: Burst, *, for_one: bool = False) -> None:
        self._burst = burst
        self._buffer = b""
        self._transport: asyncio.WriteTransport | None = None
        self._number: int | None = None
        self._request = b""
        if for_one:
            self.send()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        if self._number is None:
            self._go_on()
        else:
            self._transport.write(self._request)

    def _go_on(self) -> None:
        if self._burst.is_due():
            self.send()
        else:
            self._burst.idle.append(self)

    def send(self) -> None:
        """Send the next request, as soon as there is a connection."""
        self._number, self._request = self._burst.next()
        self._sent = time.perf_counter()
        if self._transport is not None:
            self._transport.write(self._request)

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
    offer = _openly if plan["open"] else _closed
    await offer(offered, doors, count)
    await _last_answers(offered)
    return _tell(offered)


async def _closed(offered: Burst, doors: Doors, count: int) -> None:
    async def connect(_: int) -> None:
        await doors.enter(lambda: Sender(offered))

    connecting = asyncio.create_task(paced(count, _CONNECTS_A_SECOND, connect))
    while offered.is_on():
        while offered.idle and offered.is_due():
            offered.idle.popleft().send()
        await asyncio.sleep(_TICK)
    await connecting


async def _openly(offered: Burst, doors: Doors, most: int) -> None:
    made = 0
    async with asyncio.TaskGroup() as tasks:
        while offered.is_on():
            while offered.is_due() and (offered.idle or made < most):
                if offered.idle:
                    offered.idle.popleft().send()
                    continue
                sender = Sender(offered, for_one=True)
                tasks.create_task(_enter(doors, sender))
                made += 1
            await asyncio.sleep(_TICK)


async def _enter(doors: Doors, sender: Sender) -> None:
    await doors.enter(lambda: sender)


async def _last_answers(offered: Burst) -> None:
    until = time.perf_counter() + _LAST_ANSWERS_WITHIN
    while _open(offered) and time.perf_counter() < until:
        await asyncio.sleep(0.05)


def _open(offered: Burst) -> int:
    return offered.sent - offered.statuses.total() - offered.cut_off


def _tell(offered: Burst) -> dict[str, Any]:
    return {
        "sent": offered.sent,
        "offered_a_second": offered.sent / offered.lasts,
        "good": offered.good,
        "refused": offered.refused,
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
