"""The server when more comes than it can work on at once: who waits, for how long, who does not."""

import asyncio
import json
import resource
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.shared.tiny_process import POST, Tiny, running

from shared.web.turnstile import MOST_AT_ONCE

GET = "GET {} HTTP/1.1\r\nHost: tiny\r\n\r\n"


@dataclass
class Asking:
    """A connection on which one question follows the other."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def get(self, path: str) -> tuple[float, bytes]:
        """Return how long the answer took, and its head."""
        began = time.monotonic()
        self.writer.write(GET.format(path).encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await self.reader.readexactly(length)
        return time.monotonic() - began, head


@asynccontextmanager
async def connected(tiny: Tiny, count: int) -> AsyncGenerator[list[Asking]]:
    asking = [
        Asking(*await asyncio.open_connection("127.0.0.1", tiny.public_port)) for _ in range(count)
    ]
    yield asking
    [each.writer.close() for each in asking]
    closing = (each.writer.wait_closed() for each in asking)
    await asyncio.gather(*closing, return_exceptions=True)


async def test_who_is_not_read_for_two_seconds_is_told_to_come_again(tiny: Tiny) -> None:
    async with connected(tiny, MOST_AT_ONCE + 1) as (one, *many):
        at_work = [asyncio.create_task(each.get("/v1/slow/6")) for each in many]
        await asyncio.sleep(2)
        took, refused = await one.get("/nothing")
        answered = {head[:12] for _, head in await asyncio.gather(*at_work)}
        _, afterwards = await one.get("/nothing")

    assert refused.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 2\r\n" in refused
    assert 1.5 < took < 3.5
    assert answered == {b"HTTP/1.1 200"}
    assert afterwards.startswith(b"HTTP/1.1 404")


async def test_who_waits_is_read_as_soon_as_another_is_answered(tiny: Tiny) -> None:
    async with connected(tiny, MOST_AT_ONCE + 1) as (one, soon, *many):
        at_work = [asyncio.create_task(each.get("/v1/slow/6")) for each in many]
        at_work.append(asyncio.create_task(soon.get("/v1/slow/3")))
        await asyncio.sleep(2.3)
        took, head = await one.get("/nothing")
        await asyncio.gather(*at_work)

    assert head.startswith(b"HTTP/1.1 404")
    assert 0.2 < took < 2


async def test_idle_connections_and_slow_senders_take_no_place(tiny: Tiny) -> None:
    async with connected(tiny, 2 * MOST_AT_ONCE + 1) as (one, *many):
        for each in many[:MOST_AT_ONCE]:
            each.writer.write(POST + b"Content-Length: 100\r\n\r\nabc")
        await asyncio.sleep(1)
        took, head = await one.get("/nothing")

    assert head.startswith(b"HTTP/1.1 404")
    assert took < 1


async def test_large_bodies_share_what_memory_there_is(tiny: Tiny) -> None:
    lead = json.dumps({"name": "Anna"}).encode()
    size, large = 1_000_000, POST + b"Content-Length: 1000000\r\n\r\n"
    small = POST + f"Content-Length: {len(lead)}\r\n\r\n".encode() + lead
    async with connected(tiny, 100) as (one, *many):
        for each in many:
            each.writer.write(large + b" " * (size - 100))
        await asyncio.sleep(3)
        one.writer.write(small)
        stored = await one.reader.readuntil(b"\r\n\r\n")
        for each in many:
            each.writer.write(b" " * (100 - len(lead)) + lead)
        heads = [await each.reader.readuntil(b"\r\n\r\n") for each in many]
    async with connected(tiny, 1) as (one,):
        one.writer.write(large + b" " * (size - len(lead)) + lead)
        afterwards = await one.reader.readuntil(b"\r\n\r\n")
    statuses = Counter(int(head[9:12]) for head in heads)

    assert stored.startswith(b"HTTP/1.1 201")
    assert set(statuses) == {201, 503}
    assert 60 < statuses[201] < 75
    assert all(b"retry-after: 2" in head for head in heads if head.startswith(b"HTTP/1.1 503"))
    assert afterwards.startswith(b"HTTP/1.1 201")


def test_the_server_takes_as_many_files_as_it_may(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        with running(tmp_path) as tiny:
            taken = resource.prlimit(tiny.process.pid, resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert taken == (hard, hard)
