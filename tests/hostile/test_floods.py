"""Ten times what can be answered, over 5,000 connections (500 where tests are small).

As much is stored as without the flood, the rest is told early to come again, and nothing that was
answered 2xx is missing.
"""

import statistics
from typing import Any

import pytest
from tests.faults.figures import Figure, sized
from tests.hostile import target as targets
from tests.hostile.crowds.program import gather
from tests.hostile.target import Target

from shared import limits

target = targets.target

CONNECTIONS = sized(500, 5_000)
SECONDS = sized(5, 15)
GOOD_AT_ONCE, PEAK_SECONDS, PEAK_ROUNDS = 64, 2, 3
TIMES = 10
KEPT = 0.8
# Unread for that long, and the answers of those who were let in.
LATEST = limits.UNREAD + 2.0
MEGABYTES = sized(40, 200)
UNBOUNDED = 1e9


class Flood:
    """Requests to one target, each with a number of its own."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._first = 0

    async def of(self, connections: int, rate: float, seconds: float) -> dict[str, Any]:
        plan = {"port": self._target.port, "connections": connections, "rate": rate}
        plan |= {"seconds": seconds, "first": self._first, **self._target.around("flood")}
        seen = await gather(plan, "burst")
        self._first += seen["sent"]
        return seen

    async def peak(self, rounds: int = PEAK_ROUNDS) -> float:
        """Return how many a second are answered 202 at a good number of connections."""
        found = [await self.of(GOOD_AT_ONCE, UNBOUNDED, PEAK_SECONDS) for _ in range(rounds)]
        assert {status for seen in found for status in seen["statuses"]} == {"202"}
        return statistics.median(seen["a_second"] for seen in found)


@pytest.mark.timeout(180)
async def test_a_flood_is_refused_early_and_takes_nothing_from_what_is_stored(
    target: Target, figure: Figure
) -> None:
    flood = Flood(target)
    await flood.peak()  # warm
    peak, memory = await flood.peak(), target.memory(most=True)
    seen = await flood.of(CONNECTIONS, TIMES * peak, SECONDS)
    grown = target.memory(most=True) - memory
    after = await flood.peak(rounds=1)
    slowest = max(seen["slowest"].values())
    _keep(figure, seen, {"goodput": seen["a_second"] / peak, "memory": grown, "slowest": slowest})

    assert set(seen["statuses"]) <= {"202", "503"}
    assert (seen["without_advice"], seen["cut_off"], seen["unanswered"]) == (0, 0, 0)
    assert await target.stored("flood", seen["good"]) == sorted(seen["good"])
    assert slowest < LATEST
    assert seen["a_second"] >= KEPT * peak
    assert after >= KEPT * peak
    assert grown < MEGABYTES


def _keep(figure: Figure, seen: dict[str, Any], found: dict[str, float]) -> None:
    refused = seen["statuses"].get("503", 0)
    figure("flood: connections", f"{CONNECTIONS:,}", goal="500 small, 5,000 in full")
    figure("flood: stored, of what is without it", found["goodput"], goal="≥ 0.8")
    figure("flood: refused with Retry-After", f"{refused:,}", goal="printed")
    figure("flood: slowest answer, seconds", found["slowest"], goal=f"≤ {LATEST:g}")
    figure("flood: memory, megabytes more", found["memory"], goal=f"≤ {MEGABYTES}")
