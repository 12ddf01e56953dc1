"""A worker with one loop that stands still in one way or another, to be watched.

`python -m tests.integration.handoff.a_worker WAY PORT SILENCE`
"""

import asyncio
import sys
import time

from shared.messaging import loops
from shared.settings import WebSettings
from shared.telemetry.heartbeat import Heartbeats
from shared.web import server
from shared.web.health import build_operations

_BEFORE = 0.5


def main(way: str, port: int, silence: float) -> int:
    """Run until told to stop."""
    heartbeats = Heartbeats(silence)

    async def turns(stop: asyncio.Event) -> None:
        while not stop.is_set():
            heartbeats.loop("it").progress()
            await asyncio.sleep(0.05)

    async def blocks(_stop: asyncio.Event) -> None:
        await asyncio.sleep(_BEFORE)
        time.sleep(600)  # noqa: ASYNC251  that is the fault

    async def is_silent(stop: asyncio.Event) -> None:
        await stop.wait()

    async def is_held(stop: asyncio.Event) -> None:
        heartbeats.loop("it").hold("infrastructure")
        await stop.wait()

    ways = {"turns": turns, "blocks": blocks, "is_silent": is_silent, "is_held": is_held}

    async def work(stop: asyncio.Event) -> None:
        await loops.run({"it": ways[way]}, heartbeats, stop)

    settings = WebSettings(operations_port=port)
    return server.run(None, settings, build_operations(heartbeats, {}), background=[work])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
