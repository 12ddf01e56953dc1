"""One program that is kept running: started again when it dies or stands still, until told to stop.

Order among programs is the supervisor's matter.
"""

import asyncio
import contextlib
import os
import signal
import time
from asyncio.subprocess import Process as Child
from collections.abc import Callable
from pathlib import Path

from handoff.supervisor.liveness import until_silent
from handoff.supervisor.logs import note, tail
from handoff.supervisor.spawn import spawn
from handoff.supervisor.spec import Spec

_SHORT_LIFE = 5.0
_BACK_OFF = (0.0, 0.0, 0.25, 0.5, 1.0, 2.0, 5.0)
_GIVE_UP_AFTER = 5
_ASK_EVERY = 0.1
_LAST_WORDS = 5.0


class NotReady(Exception):
    """A program did not come up; the text holds the end of its log."""


def back_off(short_lives: int) -> float:
    """Return how many seconds to wait before the next start, after so many short lives in a row."""
    return _BACK_OFF[min(short_lives, len(_BACK_OFF) - 1)]


class Process:
    """A program and its present child process."""

    def __init__(self, spec: Spec, logs: Path, changed: Callable[["Process"], None]) -> None:
        """Take note of what to run; `changed` is called when its pid or restarts moved."""
        self.spec = spec
        self.log = logs / f"{spec.name}.log"
        self.restarts = 0
        self._changed = changed
        self._child: Child | None = None
        self._stopping = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is none."""
        running = self._child is not None and self._child.returncode is None
        return self._child.pid if running and self._child else None

    def start(self) -> None:
        """Begin to keep it running; returns at once."""
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.spec.name}")

    async def until_ready(self, limit: float) -> None:
        """Wait until it can be used.

        Raises:
            NotReady: it died several times over, or `limit` seconds went by.
        """
        try:
            async with asyncio.timeout(limit):
                await self._ask_until_ready()
        except TimeoutError:
            raise self._not_ready(f"was not ready within {limit:.0f} s") from None

    async def stop(self) -> None:
        """Ask it to end, and end it when its grace is over; returns when it is gone."""
        self._stopping.set()
        if self._keeper is None:
            return
        if self.pid is not None:
            self._signal(self.spec.stop_signal)
        await asyncio.wait([self._keeper], timeout=self.spec.grace)
        self._kill_group()
        await self._keeper

    async def _keep(self) -> None:
        short_lives = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            await self._live_once()
            if self._stopping.is_set():
                break
            self.restarts += 1
            short_lives = short_lives + 1 if time.monotonic() - began < _SHORT_LIFE else 0
            await self._pause(back_off(short_lives))
        self._changed(self)

    async def _live_once(self) -> None:
        try:
            self._child = await spawn(self.spec, self.log)
        except OSError as error:  # no such program, no memory for a fork: counts as a short life
            note(self.log, f"{self.spec.name} could not be started: {error}")
            return
        self._changed(self)
        if self._stopping.is_set():
            self._signal(self.spec.stop_signal)
        watch = asyncio.create_task(self._watch(), name=f"watch {self.spec.name}")
        try:
            await self._child.wait()
        finally:
            watch.cancel()

    async def _watch(self) -> None:
        """End the child once it stands still; one that cannot hear the request gets little time."""
        why = await until_silent(self.spec)
        note(self.log, f"{self.spec.name} {why}; it is replaced")
        self._signal(self.spec.stop_signal)
        await asyncio.sleep(min(self.spec.grace, _LAST_WORDS))
        self._kill_group()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _ask_until_ready(self) -> None:
        died_before = self.restarts
        while not (self.pid and await self.spec.ready()):
            if self.restarts - died_before >= _GIVE_UP_AFTER:
                raise self._not_ready("dies as soon as it is started")
            await asyncio.sleep(_ASK_EVERY)

    def _not_ready(self, why: str) -> NotReady:
        return NotReady(f"{self.spec.name} {why}; the end of {self.log}:\n{tail(self.log)}")

    def _signal(self, number: signal.Signals) -> None:
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(number)

    def _kill_group(self) -> None:
        pid = self.pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
