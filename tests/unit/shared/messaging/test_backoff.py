"""Waiting before the same is tried again."""

import asyncio
import time

from shared.messaging import backoff


async def test_a_wait_that_nothing_can_cut_short_takes_its_time() -> None:
    began = time.monotonic()

    await backoff.sleep(0.05)

    assert time.monotonic() - began >= 0.05


async def test_an_event_cuts_a_wait_short() -> None:
    stop, began = asyncio.Event(), time.monotonic()
    asyncio.get_running_loop().call_later(0.01, stop.set)

    await backoff.sleep(30, stop)

    assert time.monotonic() - began < 5
