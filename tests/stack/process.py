"""One process of a service under a test's hands: started, killed, stopped, started again.

It may be kept as a supervisor keeps it: whenever it dies it is started again at once, and the first
lives may be given a crash point each.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

READY_WITHIN = 60.0
_GRACE = 20.0
_ASK_EVERY = 0.05
_STOPPED_WITHIN = 20.0


@dataclass
class Process:
    """A program of the product.

    Attributes:
        crashes: the crash points of its first lives.
        kept: whether it is started again when it dies.
        inherited: file descriptors that it shares with the test, such as a listening socket.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    url: str
    operations_url: str
    log: Path
    crashes: list[str] = field(default_factory=list)
    inherited: tuple[int, ...] = ()
    lives: int = 0
    deaths: list[int] = field(default_factory=list)
    kept: bool = True
    born: float = 0.0
    _child: asyncio.subprocess.Process | None = None
    _keeper: asyncio.Task[None] | None = None
    _stopping: bool = False

    @property
    def pid(self) -> int | None:
        """The process id, while it runs."""
        alive = self._child is not None and self._child.returncode is None
        return self._child.pid if alive and self._child else None

    @property
    def age(self) -> float:
        """How long its present life lasts, in seconds; 0 while it is dead."""
        return time.monotonic() - self.born if self.pid else 0.0

    @property
    def kills(self) -> int:
        """How often it was killed by SIGKILL, by us or at a crash point."""
        return sum(code == -signal.SIGKILL for code in self.deaths)

    def start(self) -> None:
        """Begin to keep it running; returns at once."""
        self._stopping = False
        self._keeper = asyncio.create_task(self._keep(), name=self.name)

    def send(self, number: signal.Signals) -> bool:
        """Send a signal, if it runs; tell whether it did."""
        pid = self.pid
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return True

    def kill(self) -> bool:
        """Kill it as a power cut would; its keeper starts it again."""
        return self.send(signal.SIGKILL)

    async def die(self) -> None:
        """Kill it for good."""
        self._stopping = True
        self.send(signal.SIGCONT)
        self.kill()
        if self._keeper is not None:
            await self._keeper

    async def stop(self) -> int:
        """End it as an orchestrator does: SIGTERM, after its grace SIGKILL; return how it ended."""
        self._stopping = True
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        if self._keeper is not None:
            await asyncio.wait([self._keeper], timeout=_GRACE)
            self.kill()
            await self._keeper
        return self.deaths[-1]

    @contextmanager
    def frozen(self) -> Generator[None]:
        """Let it stand still during a block: who connects to it gets no answer."""
        self.send(signal.SIGSTOP)
        try:
            self._stand_still()
            yield
        finally:
            self.send(signal.SIGCONT)

    async def ready(self, within: float = READY_WITHIN) -> float:
        """Wait until it is ready; return how long that took, in seconds."""
        return await self._until("readyz", within)

    async def alive(self, within: float = READY_WITHIN) -> float:
        """Wait until it answers at all."""
        return await self._until("livez", within)

    async def troubles(self) -> str:
        """Return why it says that it is not ready; nothing while it is, or is away."""
        with contextlib.suppress(httpx.TransportError):
            async with httpx.AsyncClient(timeout=2) as client:
                answer = await client.get(f"{self.operations_url}/readyz")
                return "" if answer.is_success else answer.text
        return ""

    async def died(self, times: int, within: float = READY_WITHIN) -> None:
        """Wait until it has died so often."""
        async with asyncio.timeout(within):
            while len(self.deaths) < times:
                await asyncio.sleep(_ASK_EVERY)

    async def is_ready(self) -> bool:
        """Tell whether it is ready now."""
        async with httpx.AsyncClient(timeout=2) as client:
            with contextlib.suppress(httpx.TransportError):
                return (await client.get(f"{self.operations_url}/readyz")).is_success
        return False

    async def _until(self, path: str, within: float) -> float:
        began = time.monotonic()
        async with asyncio.timeout(within), httpx.AsyncClient(timeout=2) as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{self.operations_url}/{path}")).is_success:
                        return time.monotonic() - began
                await asyncio.sleep(_ASK_EVERY)

    def _stand_still(self) -> None:
        """Wait until every thread is stopped: on a busy machine some come to the signal late."""
        tasks = Path(f"/proc/{self.pid}/task")
        until = time.monotonic() + _STOPPED_WITHIN
        while any(_state(task) != "T" for task in tasks.iterdir()):
            assert time.monotonic() < until, f"{self.name} does not stand still"
            time.sleep(_ASK_EVERY)

    async def _keep(self) -> None:
        while not self._stopping:
            await self._live()
            if not self.kept:
                return

    async def _live(self) -> None:
        at = {"HANDOFF_CRASH_AT": self.crashes.pop(0)} if self.crashes else {}
        with self.log.open("ab") as log:
            self._child = await asyncio.create_subprocess_exec(
                *self.command,
                env={**self.environment, **at},
                stdout=log,
                stderr=log,
                pass_fds=self.inherited,
            )
        self.lives += 1
        self.born = time.monotonic()
        if self._stopping:
            self.kill()
        self.deaths.append(await self._child.wait())


def _state(task: Path) -> str:
    """Return the state letter of a thread, from its line in /proc (proc_pid_stat(5))."""
    return (task / "stat").read_text().rpartition(")")[2].split()[0]
