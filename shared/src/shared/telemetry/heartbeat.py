"""Heartbeats: what each loop of a process says of itself, read by liveness and readiness.

A loop that turns beats. A loop that waits on purpose (a broker is away, the breaker is open) holds
and says why: it is not ready, but it is never restarted for that. Only a loop that does neither
is dead.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from shared import limits
from shared.telemetry import metrics

BREAKER, FOREIGN_RECORDS, UNKNOWN_VERSION = "breaker", "foreign_records", "unknown_version"
FOR_A_PERSON = frozenset({BREAKER, FOREIGN_RECORDS, UNKNOWN_VERSION})
"""Why a loop is held that goes on only by what a person does, for which its process has to run."""


@dataclass(slots=True)
class Heartbeat:
    """One loop's sign of life."""

    name: str
    beaten_at: float = field(default_factory=time.monotonic)
    progressed_at: float = field(default_factory=time.monotonic)
    held: str | None = None
    advice: str | None = None
    silence: float = limits.HEARTBEAT_SILENCE

    def __post_init__(self) -> None:
        """Export the age of the progress: asked for at each scrape, so it rises by itself."""
        metrics.SINCE_PROGRESS.labels(loop=self.name).set_function(self.seconds_since_progress)

    def beat(self) -> None:
        """Say that the loop turned."""
        self.beaten_at = time.monotonic()

    @asynccontextmanager
    async def beating(self) -> AsyncGenerator[None]:
        """Beat during a wait that has a limit of its own: that limit judges it, not the silence."""
        task = asyncio.create_task(self._beat_on())
        try:
            yield
        finally:
            task.cancel()

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(self.silence / 3)
            self.beat()

    def progress(self) -> None:
        """Say that the loop turned, and got something done or saw that there is nothing to do."""
        self.beaten_at = self.progressed_at = time.monotonic()

    def seconds_since_progress(self) -> float:
        """Return for how long there was work, as far as the loop knows, and none of it was done."""
        return time.monotonic() - self.progressed_at

    def hold(self, reason: str, advice: str | None = None) -> None:
        """Say that the loop waits on purpose, why, and what a person must do, if anything."""
        self.beat()
        self.advice = advice
        if self.held != reason:
            self.free()
            self.held = reason
            metrics.LOOP_HELD.labels(loop=self.name, reason=reason).set(1)

    def free(self) -> None:
        """Say that the loop no longer waits."""
        if self.held is not None:
            metrics.LOOP_HELD.labels(loop=self.name, reason=self.held).set(0)
        self.held = None

    def stand_by(self) -> None:
        """Say that somebody else does this loop's work: as it should be, so not a trouble."""
        self.free()
        self.progress()

    def is_dead(self) -> bool:
        """Tell whether the loop neither turns nor says that it is held."""
        silent = time.monotonic() - self.beaten_at
        return self.held is None and silent > self.silence


class Heartbeats:
    """The loops of one process."""

    def __init__(self, silence: float = limits.HEARTBEAT_SILENCE) -> None:
        """Start with no loop; one that is silent for `silence` seconds will be dead."""
        self._silence = silence
        self._loops: dict[str, Heartbeat] = {}

    def loop(self, name: str) -> Heartbeat:
        """Return the heartbeat of a loop, new at the first call."""
        if name not in self._loops:
            self._loops[name] = Heartbeat(name, silence=self._silence)
        return self._loops[name]

    def dead(self) -> list[str]:
        """Return the names of the loops that are dead."""
        return [beat.name for beat in self._loops.values() if beat.is_dead()]

    def held(self) -> dict[str, str]:
        """Return the loops that wait on purpose, with their reasons and what to do about them."""
        return {
            beat.name: f"{beat.held}: {beat.advice}" if beat.advice else beat.held
            for beat in self._loops.values()
            if beat.held is not None
        }
