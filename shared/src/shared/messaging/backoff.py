"""How long to wait before the same is tried again: full jitter under a bound that doubles.

Source: Marc Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
"""

import asyncio
import contextlib
import random

_FIRST = 0.05
_LONGEST = 5.0


def delay(failures: int) -> float:
    """Return seconds to wait after so many failures in a row."""
    return random.uniform(0, min(_LONGEST, _FIRST * 2 ** min(failures, 10)))  # noqa: S311  not a secret


async def sleep(seconds: float, *events: asyncio.Event) -> None:
    """Sleep, or until one of the events is set."""
    if not events:
        await asyncio.sleep(seconds)
        return
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
