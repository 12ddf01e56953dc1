"""A server that ends loses nobody: neither who keeps a connection, nor who comes meanwhile."""

import asyncio
import re
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager

import pytest
import uvloop
from fastapi import FastAPI

from shared.web import server
from shared.web.server import Server


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Generator[socket.socket]:
    monkeypatch.setattr(server, "_settle_memory", lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@asynccontextmanager
async def serving(listener: socket.socket, *, patience: float) -> AsyncGenerator[Server]:
    """Serve on a socket that others may share; the server may end before the block does."""
    served = Server("public", _app(), listener.dup(), patience=patience)
    running = asyncio.create_task(served.serve())
    while not served.started:
        await asyncio.sleep(0.01)
    try:
        yield served
    finally:
        served.should_exit = True
        await running


def _app() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def _answer(seconds: float = 0) -> None:
        await asyncio.sleep(seconds)

    return app


class Client:
    """One connection, on which it is asked again and again."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def begin(self, path: str = "/") -> None:
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())

    async def answer(self) -> str:
        """Return the head of an answer; nothing where the connection was closed."""
        async with asyncio.timeout(20):
            head = await self._reader.readuntil(b"\r\n\r\n")
            await self._reader.readexactly(int(re.findall(rb"content-length: (\d+)", head)[0]))
        return head.decode()

    async def ask(self, path: str = "/") -> str:
        self.begin(path)
        return await self.answer()

    async def is_closed(self) -> bool:
        async with asyncio.timeout(20):
            return await self._reader.read() == b""

    def close(self) -> None:
        self._writer.close()


Connect = Callable[[], Awaitable[Client]]


@pytest.fixture
async def connect(listener: socket.socket) -> AsyncGenerator[Connect]:
    """Give what opens a connection; all are closed with the test."""
    made: list[Client] = []

    async def one_more() -> Client:
        made.append(Client(*await asyncio.open_connection(*listener.getsockname())))
        return made[-1]

    yield one_more
    for client in made:
        client.close()


async def test_who_keeps_a_connection_is_answered_once_more_and_told_to_leave_it(
    listener: socket.socket, connect: Connect
) -> None:
    async with serving(listener, patience=10) as served:
        fresh = await connect()
        known, busy = await connect(), await connect()
        first = await known.ask()
        busy.begin("/?seconds=0.5")
        await asyncio.sleep(0.1)
        served.should_exit = True
        await asyncio.sleep(0.3)
        last = [await client.ask() for client in (known, fresh)] + [await busy.answer()]
        closed = [await client.is_closed() for client in (known, fresh, busy)]

    assert "connection: close" not in first
    assert ["200 OK" in answer for answer in last] == [True] * 3
    assert ["connection: close" in answer for answer in last] == [True] * 3
    assert closed == [True] * 3


async def test_who_says_nothing_more_is_left_in_the_end(
    listener: socket.socket, connect: Connect
) -> None:
    async with serving(listener, patience=0.3):
        idle = await connect()
        await idle.ask()

    assert await idle.is_closed()


async def test_who_comes_while_a_server_ends_is_answered_by_another_of_the_same_socket(
    listener: socket.socket, connect: Connect
) -> None:
    async with serving(listener, patience=10) as leaving, serving(listener, patience=0):
        kept = await connect()
        await kept.ask()
        leaving.should_exit = True
        await asyncio.sleep(0.3)
        answers = [await (await connect()).ask() for _ in range(20)]
        await kept.ask()

    assert ["connection: close" in answer for answer in answers] == [False] * 20


def test_who_is_accepted_in_the_last_moment_is_answered_and_told_to_leave(
    listener: socket.socket,
) -> None:
    late = socket.socket()

    async def last_moment(_counter: int) -> bool:
        late.connect(listener.getsockname())
        await asyncio.sleep(0)  # the loop accepts it; the server does not know of it yet
        return True

    async def come_late() -> tuple[str, bool]:
        async with serving(listener, patience=10) as served:
            served.on_tick = last_moment
            await asyncio.sleep(0.3)
            client = Client(*await asyncio.open_connection(sock=late))
            answered = await client.ask(), await client.is_closed()
            client.close()
        return answered

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as as_processes_run:
        answer, closed = as_processes_run.run(come_late())

    assert "200 OK" in answer
    assert "connection: close" in answer
    assert closed
