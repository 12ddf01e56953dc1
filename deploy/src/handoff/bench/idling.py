"""What the services take while nothing comes in: of the processors, and of memory."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from handoff.bench import processors
from handoff.bench.processors import Shares
from handoff.services import SERVICES

_SECONDS = 2.0
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Idle:
    """What a service's processes, api and worker, take together."""

    cores: float
    megabytes: float


def of_services(trees: Mapping[str, int], shares: Shares) -> dict[str, Idle]:
    """Return by service what its processes took, and what they have in memory now."""
    found: dict[str, Idle] = {}
    for service in SERVICES:
        names = [name for name in trees if name.startswith(f"{service.name}-")]
        cores = sum(shares.ours[name] for name in names) / shares.seconds
        memory = sum(processors.resident(trees[name]) for name in names) / _MEGABYTE
        found[service.name] = Idle(cores, memory)
    return found


async def cores_of(trees: Callable[[], Mapping[str, int]]) -> float:
    """Return how many cores all that runs takes for a moment: what quiet is, while it idles."""
    await asyncio.sleep(_SECONDS)
    before = processors.look(trees(), time.monotonic())
    await asyncio.sleep(_SECONDS)
    shares = processors.between(before, processors.look(trees(), time.monotonic()))
    return sum(shares.ours.values()) / shares.seconds
