"""A crowd of clients as a process of its own: its plan comes as JSON, what it saw goes out as JSON.

On uvloop and raw sockets, because it shares its cores with what it is hostile to.
"""

import asyncio
import json
import resource
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import uvloop

Line = TypeVar("Line", bound=asyncio.Protocol)
Crowd = Callable[[dict[str, Any]], Coroutine[None, None, dict[str, Any]]]
_CONNECTING_AT_ONCE = 200
_OF_ONE_ADDRESS = 10_000
_NO_PORT_YET = 24  # IP_BIND_ADDRESS_NO_PORT: the port is chosen at connect, among many more
_CONNECT_SECONDS = 60.0


async def gather(plan: dict[str, Any], crowd: str) -> dict[str, Any]:
    """Run a crowd of this package, and return what it saw."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"tests.hostile.crowds.{crowd}", json.dumps(plan),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        told, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    assert process.returncode == 0, f"the crowd {crowd} ended with {process.returncode}"
    return json.loads(told)


def main(crowd: Crowd) -> None:
    """Be that crowd."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.stdout.write(json.dumps(runner.run(crowd(json.loads(sys.argv[1])))))


class Doors:
    """Connects to one port, from as many addresses of this machine as that takes."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._made = 0
        self._places = asyncio.Semaphore(_CONNECTING_AT_ONCE)

    async def enter(self, make: Callable[[], Line]) -> Line:
        """Connect once; for a line that tells of itself, when it is made and when it is lost."""
        loop = asyncio.get_running_loop()
        async with self._places, asyncio.timeout(_CONNECT_SECONDS):
            place = self._socket()
            await loop.sock_connect(place, ("127.0.0.1", self._port))
            _, line = await loop.create_connection(make, sock=place)
            return line

    def _socket(self) -> socket.socket:
        place = socket.socket()
        place.setblocking(False)
        place.setsockopt(socket.IPPROTO_IP, _NO_PORT_YET, 1)
        place.bind((f"127.0.0.{2 + self._made // _OF_ONE_ADDRESS}", 0))
        self._made += 1
        return place


async def paced(count: int, a_second: float, act: Callable[[int], Awaitable[None]]) -> None:
    """Begin `act` with each number at a steady pace; wait until all have ended."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.TaskGroup() as tasks:
        for number in range(count):
            late = began + number / a_second - loop.time()
            if late > 0:
                await asyncio.sleep(late)
            tasks.create_task(_one(act, number))


async def _one(act: Callable[[int], Awaitable[None]], number: int) -> None:
    await act(number)
