"""Runs a worker's loops side by side: each for itself, each begun again when it fails.

A loop that fails never takes its neighbours with it. `StartAgain` ends the process for a new one
(`execv`) after a short random wait: quicker than a kubelet's crash back-off, and certain.
"""

import asyncio
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable, Mapping

from shared import limits
from shared.fitness import Unfit
from shared.loggers import get_logger
from shared.messaging import backoff
from shared.telemetry import trail
from shared.telemetry.heartbeat import Heartbeats

log = get_logger(__name__)

Loop = Callable[[asyncio.Event], Awaitable[None]]
_LONGEST_WAIT = 5.0


class StartAgain(Exception):
    """Only a new process will do."""


async def run(loops: Mapping[str, Loop], heartbeats: Heartbeats, stop: asyncio.Event) -> None:
    """Run the loops until `stop` is set, then let each finish within its limit.

    Raises:
        StartAgain: a loop asked for a new process; the others were stopped.
        Unfit: a loop must not begin with what it was given; the others were stopped.
    """
    tasks = {
        asyncio.create_task(_keep(name, loop, heartbeats, stop), name=name)
        for name, loop in loops.items()
    }
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    stop.set()
    if pending := tasks - done:
        _, late = await asyncio.wait(pending, timeout=limits.GRACEFUL_STOP)
        for task in late:
            task.cancel()
    for task in done:
        task.result()


async def _keep(name: str, loop: Loop, heartbeats: Heartbeats, stop: asyncio.Event) -> None:
    heartbeat = heartbeats.loop(name)
    failures = 0
    while not stop.is_set():
        heartbeat.beat()
        began = time.monotonic()
        try:
            await loop(stop)
        except (StartAgain, Unfit):
            raise
        except (
            Exception,
            asyncio.CancelledError,
        ) as error:  # a loop is begun again, whatever it was
            if _is_told_to_end(error):
                raise
            # What got something done since then is not failing in a row: years of single failures
            # must not add up to the longest wait.
            failures = 1 if heartbeat.progressed_at > began else failures + 1
            log.warning("loop_failed", loop=name, failures=failures, **trail.of(error))
            heartbeat.hold("infrastructure")
            await backoff.sleep(backoff.delay(failures), stop)
            heartbeat.free()


def _is_told_to_end(error: BaseException) -> bool:
    """Tell our own end from a library's: it hands on that a task of its own was cancelled."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def replace_process() -> None:
    """Become a new process of the same command, after a random wait. Does not return."""
    seconds = random.uniform(0, _LONGEST_WAIT)  # noqa: S311  not a secret
    log.warning("starting_again", seconds=round(seconds, 2))
    asyncio.run(asyncio.sleep(seconds))
    arguments = [sys.executable, *sys.orig_argv[1:]]
    os.execv(sys.executable, arguments)  # noqa: S606  the very command that runs
