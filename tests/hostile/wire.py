"""Senders that no library would be: they announce, they never end, they hang up half-way."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.hostile.attacks.attack import Attack
from tests.hostile.targets import GIVE_UP, Answer, Target

ANNOUNCED = 300 * 1024 * 1024
_CHUNK = b"10000\r\n" + b"a" * 65_536 + b"\r\n"
_READ = 65_536


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection to a target, and how a request is begun on it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    target: Target
    began: float = field(default_factory=time.monotonic)

    def begin(self, attack: Attack, framing: str) -> None:
        """Send the head of a request; `framing` says how its body is to come."""
        headers = [name + b": " + value for name, value in self.target.headers(attack)]
        head = f"{attack.operation.method} {attack.address} HTTP/1.1\r\nHost: target\r\n{framing}"
        self.writer.write(b"\r\n".join([head.encode(), *headers, b"", b""]))

    async def send(self, body: bytes) -> bool:
        """Send a piece of the body; tell whether anybody still takes it."""
        with contextlib.suppress(ConnectionError):
            self.writer.write(body)
            await self.writer.drain()
            return True
        return False

    async def answer(self) -> Answer:
        """Read an answer, whether or not everything was sent."""
        async with asyncio.timeout(GIVE_UP):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *lines = head.split("\r\n")
            pairs = (each.partition(": ") for each in lines if each)
            headers = {name.lower(): value for name, _, value in pairs}
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        seconds = time.monotonic() - self.began
        return Answer(int(line.split(" ")[1]), headers, body.decode(), seconds)


@asynccontextmanager
async def connected(target: Target) -> AsyncGenerator[Connection]:
    """Be connected to a target for the block; then be gone without a word."""
    port = urlsplit(target.process.url).port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Connection(reader, writer, target)
    finally:
        writer.transport.abort()


async def announce(target: Target, attack: Attack) -> Answer:
    """Say that 300 MB will come, and send none of it."""
    async with connected(target) as connection:
        connection.begin(attack, f"Content-Length: {ANNOUNCED}")
        return await connection.answer()


async def never_end(target: Target, attack: Attack) -> Answer:
    """Send chunk after chunk until there is an answer."""
    async with connected(target) as connection:
        connection.begin(attack, "Transfer-Encoding: chunked")
        answer = asyncio.create_task(connection.answer())
        while not answer.done() and await connection.send(_CHUNK):
            await asyncio.sleep(0)
        return await answer


async def taken_after_the_answer(target: Target, attack: Attack, most: int) -> int:
    """Send for ever, whatever is answered; return how many bytes were taken, or `most`."""
    async with connected(target) as connection:
        connection.begin(attack, "Transfer-Encoding: chunked")
        taken = 0
        while taken < most and await connection.send(_CHUNK):
            taken += len(_CHUNK)
        return taken


async def hang_up(target: Target, attack: Attack) -> None:
    """Be gone in the middle of the head, in the middle of the body, and before the answer."""
    body = attack.body or b"{}"
    async with connected(target) as connection:
        await connection.send(f"{attack.operation.method} {attack.address} HT".encode())
    for framing, sent in (
        (f"Content-Length: {len(body) + 100}", body),
        ("Transfer-Encoding: chunked", b"%x\r\n%s" % (len(body), body)),
        (f"Content-Length: {len(body)}", body),
    ):
        async with connected(target) as connection:
            connection.begin(attack, framing)
            await connection.send(sent)
