"""How a worker's loops are begun again after they failed."""

import asyncio

import pytest

from shared.messaging import backoff, loops
from shared.telemetry.heartbeat import Heartbeats


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many failures in a row each wait was for; nobody really waits."""
    counts: list[int] = []

    def delay(failures: int) -> float:
        counts.append(failures)
        return 0.0

    monkeypatch.setattr(backoff, "delay", delay)
    return counts


async def test_a_loop_that_fails_again_and_again_waits_ever_longer(waited: list[int]) -> None:
    async def fails(stop: asyncio.Event) -> None:
        if len(waited) == 3:
            stop.set()
        raise ValueError

    await loops.run({"a": fails}, Heartbeats(), asyncio.Event())

    assert waited == [1, 2, 3, 4]


async def test_a_failure_after_something_was_done_is_a_first_one(waited: list[int]) -> None:
    heartbeats = Heartbeats()

    async def fails_at_times(stop: asyncio.Event) -> None:
        if len(waited) == 3:
            stop.set()
        await asyncio.sleep(0.002)
        heartbeats.loop("a").progress()
        raise ValueError

    await loops.run({"a": fails_at_times}, heartbeats, asyncio.Event())

    assert waited == [1, 1, 1, 1]
