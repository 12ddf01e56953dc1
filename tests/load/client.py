"""A closed-loop load client: c connections, each sends the next request when it has its answer.

Raw asyncio on prebuilt bytes, so that the client takes as little as it can of the cores that it
shares with what it measures.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from typing_extensions import override

_END_OF_HEAD = b"\r\n\r\n"


@dataclass
class Sample:
    """What a measured stretch gave. `latencies` are seconds, one per answer."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Good answers a second."""
        good = sum(count for status, count in self.statuses.items() if 200 <= status < 300)
        return good / self.seconds

    def quantile(self, share: float) -> float:
        """Return the latency that this share of the answers did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class _Connection(asyncio.Protocol):
    def __init__(self, bodies: Iterator[bytes], sample: Sample, until: float) -> None:
        self._bodies, self._sample, self._until = bodies, sample, until
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._buffer = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(_END_OF_HEAD)
        if head_end < 0 or len(self._buffer) < head_end + 4 + length_of(self._buffer[:head_end]):
            return
        status = int(self._buffer[9:12])
        self._buffer = b""
        self._sample.latencies.append(time.perf_counter() - self._sent)
        self._sample.statuses[status] = self._sample.statuses.get(status, 0) + 1
        self._next()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def _next(self) -> None:
        body = next(self._bodies, None)
        if body is None or time.perf_counter() >= self._until:
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(body)


def length_of(head: bytes) -> int:
    """Return how long the body is that a head announces."""
    at = head.lower().find(b"content-length:")
    return int(head[at + 15 : head.find(b"\r\n", at)] if at >= 0 else 0)


def request(url: str, body: bytes, headers: dict[str, str]) -> bytes:
    """Return a POST as it goes over the wire."""
    parts = urlsplit(url)
    lines = [
        f"POST {parts.path} HTTP/1.1",
        f"Host: {parts.netloc}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + _END_OF_HEAD + body


async def load(
    url: str, make: Callable[[], bytes], *, at_once: int, seconds: float, most: int = 1_000_000_000
) -> Sample:
    """Send what `make` makes for some seconds, or until so many were sent."""
    parts = urlsplit(url)
    sample = Sample()
    bodies = (make() for _ in range(most))
    began = time.perf_counter()
    connections: list[_Connection] = []
    for _ in range(at_once):
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: _Connection(bodies, sample, began + seconds), parts.hostname, parts.port
        )
        connections.append(connection)
    await asyncio.gather(*(connection.ended for connection in connections))
    sample.seconds = time.perf_counter() - began
    return sample
