"""Runs a process: its public app (or none), its operations app and its background work, one loop.

uvicorn's server with our limits around it: on how long a start, a stop and a sender may take. A
SIGTERM makes the process unready, lets what runs end, tells who keeps a connection to leave it, and
ends the process; a SIGKILL is always safe.
"""

import asyncio
import gc
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager, suppress

import uvicorn
import uvloop
from starlette.types import ASGIApp
from typing_extensions import override

from shared import limits
from shared.database.errors import kind_of
from shared.loggers import get_logger
from shared.settings import WebSettings
from shared.telemetry import trail
from shared.web.health import Operations
from shared.web.slow_senders import PatientProtocol, sweep_for_ever
from shared.web.small_bodies import SmallBodies
from shared.web.turnstile import Turnstile

Background = Callable[[asyncio.Event], Awaitable[None]]
"""Work that runs beside; it ends soon after the event is set, and never before."""

_LOG = get_logger(__name__)
_BACKLOG = 2048
_LOOK_SECONDS = 0.05


class StartFailed(Exception):
    """The process cannot do its work: a lifespan failed, or took too long."""


def run(
    app: ASGIApp | None,
    settings: WebSettings,
    operations: Operations,
    *,
    background: Sequence[Background] = (),
) -> int:
    """Run until SIGTERM or SIGINT; return the process's exit code (0: it was asked to stop)."""
    _allow_all_files()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve(app, settings, operations, background=background))


async def serve(
    app: ASGIApp | None,
    settings: WebSettings,
    operations: Operations,
    *,
    background: Sequence[Background] = (),
) -> int:
    """As `run`, inside a loop that is there already."""
    stop = _stop_on_signals()
    try:
        servers = _servers(app, settings, operations)
    except OSError as error:
        _LOG.error("cannot_listen", reason=error.strerror)
        return 1
    serving = [asyncio.create_task(server.serve(), name=server.name) for server in servers]
    beside = [asyncio.create_task(_run(work, stop), name=_name(work)) for work in background]
    asked = asyncio.create_task(stop.wait())
    await asyncio.wait({asked, *serving, *beside}, return_when=asyncio.FIRST_COMPLETED)
    ended = [task.get_name() for task in (*serving, *beside) if task.done()]
    by_itself = [] if stop.is_set() else ended
    operations.stopping = True
    stop.set()
    with _last_resort():
        await _end(servers[1:], [*serving[1:], *beside])
        await _end(servers[:1], serving[:1])
    await asked
    if by_itself:
        _LOG.error("ended_by_itself", parts=by_itself)
    return 1 if by_itself or not all(_ended_well(task) for task in (*serving, *beside)) else 0


class Server(uvicorn.Server):
    """uvicorn's server on one socket, with limits on its start and its stop, deaf to signals."""

    def __init__(
        self, name: str, app: ASGIApp, listener: socket.socket, *, patience: float = 0.0
    ) -> None:
        """Serve `app` on a socket that listens or is bound.

        `patience`: at its end, for how long idle connections are kept for one more request.
        """
        self.name = name
        self._patience = patience
        self._listener = listener
        self._turnstile = Turnstile(SmallBodies(app))
        super().__init__(
            uvicorn.Config(
                self._turnstile,
                http=PatientProtocol,
                ws="none",
                lifespan="on",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                backlog=_BACKLOG,
                timeout_keep_alive=int(limits.KEEP_ALIVE),
                timeout_graceful_shutdown=int(limits.GRACEFUL_STOP),
            )
        )

    @override
    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        beside = [
            asyncio.create_task(sweep_for_ever(self.server_state)),
            asyncio.create_task(self._turnstile.turn_away_for_ever()),
        ]
        for task in beside:
            task.add_done_callback(self._end_without)
        try:
            await super().serve([self._listener])
        finally:
            for task in beside:
                task.cancel()
        for task in beside:
            if task.done():
                task.result()

    def _end_without(self, task: asyncio.Task[None]) -> None:
        """End rather than be open to all that the task keeps away."""
        self.should_exit = self.should_exit or not task.cancelled()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            async with asyncio.timeout(limits.LIFESPAN_START):
                await super().startup(sockets)
        except (SystemExit, TimeoutError) as error:
            raise StartFailed(self.name) from error
        _settle_memory()
        host, port = self._listener.getsockname()[:2]
        _LOG.info("listening", app=self.name, host=host, port=port)

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        async with asyncio.timeout(limits.STOP):
            await self._drain()
            await super().shutdown(sockets)

    async def _drain(self) -> None:
        """Take no more connections, and answer once more on each of those that there are.

        Who shares the socket takes the others. What has nothing to say for so long is closed.
        """
        for listening in self.servers:
            listening.close()
        end = time.monotonic() + self._patience
        while True:
            self._take_leave()
            await asyncio.sleep(_LOOK_SECONDS)  # what was accepted last is only known then
            if not self.server_state.connections or time.monotonic() > end:
                return

    def _take_leave(self) -> None:
        for connection in list[object](self.server_state.connections):
            if isinstance(connection, PatientProtocol):
                connection.leave()

    @override
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals to `serve`, which stops more than one server."""
        yield


def _servers(app: ASGIApp | None, settings: WebSettings, operations: Operations) -> list[Server]:
    """Return the operations server, and the public one behind it if there is one."""
    inner = Server(
        "operations", operations, _listen(settings.operations_host, settings.operations_port)
    )
    if app is None:
        return [inner]
    listener = (
        _listen(settings.http_host, settings.http_port)
        if settings.http_fd is None
        else socket.socket(fileno=settings.http_fd)
    )
    return [inner, Server("public", app, listener, patience=limits.DRAIN)]


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def _allow_all_files() -> None:
    """Take as many files as the system lets us have: a connection is one, and 1,024 are few."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError):  # where "unlimited" is more than the kernel gives
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _run(work: Background, stop: asyncio.Event) -> None:
    await work(stop)


def _name(work: Background) -> str:
    return getattr(work, "__qualname__", type(work).__name__)


async def _end(servers: Sequence[Server], tasks: Sequence[asyncio.Task[None]]) -> None:
    """Let tasks end by themselves; those that do not, or have not begun, are cancelled."""
    for server, task in zip(servers, tasks, strict=False):
        server.should_exit = True
        if not server.started:
            task.cancel()
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=limits.STOP)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late, timeout=limits.CANCELLED)


def _ended_well(task: asyncio.Task[None]) -> bool:
    if not task.done() or task.cancelled():
        return False
    error = task.exception()
    if error is not None:
        said = None if kind_of(error) else str(error)
        _LOG.error("failed", part=task.get_name(), said=said, **trail.of(error))
    return error is None


@contextmanager
def _last_resort() -> Generator[None]:
    """End the process, whatever still hangs, before somebody has to kill it."""
    timer = threading.Timer(limits.LAST_RESORT, os._exit, [1])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _settle_memory() -> None:
    """Take what is there after the start out of the collector's sight: p99 22.9 ms became 5.4."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
