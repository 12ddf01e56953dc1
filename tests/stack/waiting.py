"""Waits for what a test means to happen, not for a time in which it might."""

import asyncio
from collections.abc import Awaitable, Callable

ENOUGH = 30.0
_ASK_EVERY = 0.05


async def until(is_so: Callable[[], Awaitable[object]], *, seconds: float = ENOUGH) -> None:
    """Wait until something that is asked again and again is so."""
    async with asyncio.timeout(seconds):
        while not await is_so():
            await asyncio.sleep(_ASK_EVERY)
