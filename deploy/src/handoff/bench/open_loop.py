"""The open-loop client: sends at fixed times, whatever happens, and counts from those times.

While a server stalls, a closed loop sends nothing and so measures nothing; this one goes on.
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import Any

import orjson
from typing_extensions import override

from handoff.bench.client import Answers, BadAnswers, address
from handoff.bench.leads import Make

# The event loop's timers are good to a millisecond; the rest is slept away by the kernel's clock.
_COARSE = 0.0015
_CONNECTIONS = 64
_ANSWERED_WITHIN = 30.0


@dataclass
class Sent:
    """What was sent: when it was to be sent, by the clock on the wall, for each receipt."""

    planned: dict[str, float] = field(default_factory=dict[str, float])
    late: list[float] = field(default_factory=list[float])
    """How late each left here, in seconds."""
    refused: list[int] = field(default_factory=list[int])

    @property
    def usually_late(self) -> float:
        """How late half of them left, in seconds."""
        return sorted(self.late)[len(self.late) // 2]


class _Connection(Answers):
    def __init__(self, free: "asyncio.Queue[_Connection]", sent: Sent) -> None:
        super().__init__()
        self._free, self._sent = free, sent

    def send(self, body: bytes, planned: float) -> None:
        self._planned = planned
        self.transport.write(body)

    @override
    def answered(self, head: bytes, body: bytes) -> None:
        status = int(head[9:12])
        if status == 202:  # noqa: PLR2004  HTTP's own
            self._sent.planned[_receipt(body)] = self._planned
        else:
            self._sent.refused.append(status)
        self._free.put_nowait(self)


async def send_steadily(url: str, make: Make, *, rate: float, count: int) -> Sent:
    """Send so many leads, so many a second; return when all are answered.

    Raises:
        BadAnswers: not all of them were answered 202 with a receipt of its own.
    """
    sent, free = Sent(), asyncio.Queue[_Connection]()
    everyone = await _connect(url, free, sent, min(count, _CONNECTIONS))
    began, wall = time.perf_counter(), time.time()
    for number in range(count):
        planned = number / rate
        await _until(began + planned)
        connection = await free.get()
        sent.late.append(time.perf_counter() - began - planned)
        connection.send(make(), wall + planned)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_ANSWERED_WITHIN):
            for _ in everyone:
                await free.get()
    for connection in everyone:
        connection.transport.close()
    if len(sent.planned) != count:
        raise BadAnswers(
            f"{len(sent.planned)} of {count} leads were answered 202; others: {sent.refused[:5]}"
        )
    return sent


async def _connect(
    url: str, free: asyncio.Queue[_Connection], sent: Sent, count: int
) -> list[_Connection]:
    host, port = address(url)
    loop = asyncio.get_running_loop()
    everyone: list[_Connection] = []
    for _ in range(count):
        _, connection = await loop.create_connection(lambda: _Connection(free, sent), host, port)
        everyone.append(connection)
        free.put_nowait(connection)
    return everyone


async def _until(moment: float) -> None:
    left = moment - time.perf_counter()
    if left > _COARSE:
        await asyncio.sleep(left - _COARSE)
    left = moment - time.perf_counter()
    if left > 0:
        time.sleep(left)  # noqa: ASYNC251  for at most a millisecond and a half


def _receipt(body: bytes) -> str:
    answer: dict[str, Any] = orjson.loads(body)
    return str(answer["receipt_id"])
