"""How a sample is taken: after a quiet moment, watched for neighbours, again where disturbed.

Of a sample that was always disturbed the least disturbed is kept, and called so.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from handoff.bench import processors
from handoff.bench.processors import Look, Shares

MOST_FOREIGN = 0.12
MOST_STOLEN = 0.05
MOST_REPEATS = 4
MOST_IN_VAIN = 3
"""After so many samples in a row that stayed disturbed, the next is not repeated."""
_QUIET_CORES = 0.25
_QUIET_SECONDS = 2.0
_LOOK_EVERY = 0.5

T = TypeVar("T")


class Watcher(Protocol):
    """Shows how far a run is."""

    def doing(self, what: str) -> None:
        """Something else is measured now."""
        ...

    def done(self) -> None:
        """One more sample is there."""
        ...


@dataclass(frozen=True, slots=True)
class Taken(Generic[T]):
    """What was measured, and who took the processors meanwhile."""

    value: T
    shares: Shares
    tries: int

    @property
    def disturbed(self) -> bool:
        """Whether neighbours or the hypervisor took more than they may."""
        return self.shares.foreign > MOST_FOREIGN or self.shares.stolen > MOST_STOLEN

    @property
    def disturbance(self) -> float:
        """Cores that others took."""
        return self.shares.foreign + self.shares.stolen


@dataclass
class Sampler:
    """Takes samples. `trees` tells which processes are ours; `settle` is awaited before each."""

    trees: Callable[[], Mapping[str, int]]
    settle: Callable[[], Awaitable[None]]
    watcher: Watcher
    patience: float
    idle: float = 0.0
    repeats: int = 0
    never_quiet: int = 0
    in_vain: int = 0
    worst: float = 0.0

    async def take(
        self,
        what: str,
        measure: Callable[[], Awaitable[T]],
        *,
        spoilt: Callable[[T], bool] = lambda _: False,
    ) -> Taken[T]:
        """Measure, again while others disturb it or it spoilt itself, four times more at most."""
        self.watcher.doing(what)
        samples: list[Taken[T]] = []
        for tries in range(1, 2 + self._repeats_left()):
            samples.append(await self._once(measure, tries))
            if not samples[-1].disturbed and not spoilt(samples[-1].value):
                break
        self.repeats += len(samples) - 1
        self.watcher.done()
        best = min(samples, key=lambda each: (spoilt(each.value), each.disturbance))
        self.worst = max(self.worst, best.disturbance)
        self.in_vain = self.in_vain + 1 if best.disturbed else 0
        return best

    def _repeats_left(self) -> int:
        """Where neighbours never rest, waiting for them is only waiting."""
        return MOST_REPEATS if self.patience and self.in_vain < MOST_IN_VAIN else 0

    async def quiet(self) -> bool:
        """Wait until little but our own idling runs; tell whether that came within patience."""
        began, busy = time.monotonic(), processors.busy()
        end = began + self.patience
        while time.monotonic() < end:
            await asyncio.sleep(_LOOK_EVERY)
            lasted = time.monotonic() - began
            if processors.busy() - busy > (_QUIET_CORES + self.idle) * lasted:
                began, busy = time.monotonic(), processors.busy()
            elif lasted >= _QUIET_SECONDS:
                return True
        return False

    async def _once(self, measure: Callable[[], Awaitable[T]], tries: int) -> Taken[T]:
        await self.settle()
        if self.patience and not await self.quiet():
            self.never_quiet += 1
        before = self._look()
        value = await measure()
        return Taken(value, processors.between(before, self._look()), tries)

    def _look(self) -> Look:
        return processors.look(self.trees(), time.monotonic())


def rotated(variants: Sequence[T], round_number: int) -> list[T]:
    """Return the variants in another order each round: each comes first in its turn."""
    first = round_number % len(variants)
    return [*variants[first:], *variants[:first]]


def against(measured: float, *floors: float) -> float:
    """Return a ratio to the mean of the floor's samples around it."""
    return measured / statistics.mean(floors)
