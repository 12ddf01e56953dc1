"""A TCP proxy that a scenario stands between a process and what it talks to.

It delays, cuts, swallows, and cuts just where an answer would come back. The kernel here has no
netem, so this is how a network is made bad; what it cannot do is lose or reorder within a stream.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

Watch = Callable[[bytes], bool]
"""Sees each piece from the client before it goes on; True: the answer to it is never to come."""

_PIECE = 65_536


def watch_nothing(_piece: bytes) -> bool:
    """Let everything pass."""
    return False


@dataclass
class Proxy:
    """One listening port that leads to one address.

    Attributes:
        delay: seconds that each piece is held back, each way.
        swallowing: whether everything disappears, as in a network that lost its route.
        watch: cuts a connection after the piece went on, before its answer comes back.
        watch_each: makes a `watch` for each new connection, where it has to tell them apart.
        cuts: how many connections `watch` and `cut` have cut.
        swallowed: how many pieces have disappeared.
        delayed: how many pieces were held back.
    """

    host: str
    port_behind: int
    delay: float = 0.0
    swallowing: bool = False
    watch: Watch = watch_nothing
    watch_each: Callable[[], Watch] | None = None
    cuts: int = 0
    swallowed: int = 0
    delayed: int = 0
    port: int = 0
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def address(self) -> str:
        """Where clients connect to."""
        return f"127.0.0.1:{self.port}"

    def cut(self) -> int:
        """Reset every connection that is open; return how many there were."""
        open_now = [task for task in self._open if not task.done()]
        for task in open_now:
            task.cancel()
        self.cuts += len(open_now)
        return len(open_now)

    async def serve(
        self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        """Carry one connection both ways until one end is gone or it is cut."""
        task = asyncio.ensure_future(self._carry(from_client, to_client))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await task

    async def _carry(
        self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        to_server: asyncio.StreamWriter | None = None
        try:
            from_server, to_server = await asyncio.open_connection(self.host, self.port_behind)
            must_cut = partial(self._must_cut, self.watch_each() if self.watch_each else None)
            ways = {
                asyncio.ensure_future(self._pump(from_client, to_server, must_cut)),
                asyncio.ensure_future(self._pump(from_server, to_client, watch_nothing)),
            }
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            # The client sees a reset. What was sent on stays with the server, which acts on it.
            to_client.transport.abort()
            if to_server is not None:
                to_server.close()

    def _must_cut(self, watch: Watch | None, piece: bytes) -> bool:
        if not (watch or self.watch)(piece):
            return False
        self.cuts += 1
        return True

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, must_cut: Watch
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(_PIECE):
                if self.delay:
                    self.delayed += 1
                    await asyncio.sleep(self.delay)
                if self.swallowing:
                    self.swallowed += 1
                    continue
                last = must_cut(piece)
                writer.write(piece)
                await writer.drain()
                if last:
                    return


@asynccontextmanager
async def proxied(host: str, port: int) -> AsyncGenerator[Proxy]:
    """Run a proxy for the block."""
    proxy = Proxy(host, port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()
