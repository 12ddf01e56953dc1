"""The closed-loop client: c connections, each sends the next request when it has its answer.

Raw asyncio on prebuilt bytes, so that the client takes as little as it can of the cores that it
shares with what it measures. Every answer is looked at: its status, and that it names an id.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from typing_extensions import override

_END_OF_HEAD = b"\r\n\r\n"
_NAMES_AN_ID = b'id":"'
_GOOD = range(200, 300)


class BadAnswers(Exception):
    """What answered did not do what is measured; the text says what it did."""


@dataclass
class Sample:
    """What a measured stretch gave. `latencies` are seconds, one per answer."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list[float])
    statuses: dict[int, int] = field(default_factory=dict[int, int])
    cut_off: int = 0

    @property
    def good(self) -> int:
        """How many answers were 2xx."""
        return sum(count for status, count in self.statuses.items() if status in _GOOD)

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return self.good / self.seconds

    def quantile(self, share: float) -> float:
        """Return the latency that this share of the answers did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def note(self, head: bytes, body: bytes, latency: float) -> None:
        """Count an answer; one that is 2xx and names no id is none."""
        status = int(head[9:12])
        if status in _GOOD and _NAMES_AN_ID not in body:
            status = 0
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.latencies.append(latency)

    def all_good(self) -> "Sample":
        """Return this.

        Raises:
            BadAnswers: an answer was not 2xx, or a connection ended before its answer.
        """
        if self.cut_off or not self.good or self.good != len(self.latencies):
            raise BadAnswers(
                f"of {len(self.latencies)} answers {self.good} were good: by status "
                f"{self.statuses} (0: without an id), cut off {self.cut_off}"
            )
        return self


class Answers(asyncio.Protocol):
    """A connection on which one request at a time is answered."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._buffer = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  a TCP connection is one
        self.transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(_END_OF_HEAD)
        if end < 0 or len(self._buffer) < end + 4 + length_of(self._buffer[:end]):
            return
        head, body = self._buffer[:end], self._buffer[end + 4 :]
        self._buffer = b""
        self.answered(head, body)

    def answered(self, head: bytes, body: bytes) -> None:
        """Act on a whole answer."""
        raise NotImplementedError


class _Connection(Answers):
    def __init__(self, bodies: Iterator[bytes], sample: Sample, until: float) -> None:
        super().__init__()
        self._bodies, self._sample, self._until = bodies, sample, until
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waits = False

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._next()

    @override
    def answered(self, head: bytes, body: bytes) -> None:
        self._sample.note(head, body, time.perf_counter() - self._sent)
        self._next()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._sample.cut_off += self._waits
        if not self.ended.done():
            self.ended.set_result(None)

    def _next(self) -> None:
        self._waits = False
        body = None if time.perf_counter() >= self._until else next(self._bodies, None)
        if body is None:
            self.transport.close()
            return
        self._waits = True
        self._sent = time.perf_counter()
        self.transport.write(body)


def length_of(head: bytes) -> int:
    """Return how long the body is that a head announces."""
    at = head.lower().find(b"content-length:")
    return int(head[at + 15 :].partition(b"\r\n")[0] if at >= 0 else 0)


def address(url: str) -> tuple[str, int]:
    """Return the host and the port that a URL names."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 80


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
    host, port = address(url)
    sample = Sample()
    bodies = (make() for _ in range(most))
    began = time.perf_counter()
    connections: list[_Connection] = []
    for _ in range(at_once):
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: _Connection(bodies, sample, began + seconds), host, port
        )
        connections.append(connection)
    await asyncio.gather(*(connection.ended for connection in connections))
    sample.seconds = time.perf_counter() - began
    return sample
