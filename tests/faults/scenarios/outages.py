"""Scenarios: the database goes away, is slow, or has no room, while leads come in at the door.

The ledger keeps what was answered and when: the figures come from it.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
from tests.faults.invariants import INTAKE, Findings, balance
from tests.faults.ledger import Ledger
from tests.faults.rig.load import leads_coming_in
from tests.faults.rig.rig import Rig
from tests.stack.process import Process

from shared import limits

Outage = Callable[[Ledger], Awaitable[None]]

_WAVE, _A_SECOND, _AT_ONCE = 12, 60, 6
IN_TIME = limits.HANDLER + 3.0
"""Seconds for an answer: the handler's, and what its driver takes to close the connection then."""
_TERMINATE = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = ANY($1) AND pid <> pg_backend_pid()
"""


async def start(rig: Rig, *services: str) -> Process:
    """Start a worker of each service, and the intake's door; return the door."""
    door = rig.process(INTAKE, "api")
    for process in [door, *map(rig.process, services)]:
        process.start()
    await asyncio.gather(*(process.ready() for process in rig.processes.values()))
    return door


async def through(
    rig: Rig, door: Process, outage: Outage, ledger: Ledger, *, felt: float, within: float = 30
) -> Findings:
    """Let leads come in before, during and after an outage; return what is broken afterwards.

    `felt`: seconds that an answer takes at least, or is not given; else there was no outage.
    """
    lives = {process.name: process.lives for process in rig.processes.values()}
    ledger.slowest, ledger.stored_at, before = 0.0, [], ledger.attempts["unknown"]
    async with leads_coming_in(rig, door, a_second=_A_SECOND, at_once=_AT_ONCE, ledger=ledger):
        await stored(ledger, _WAVE)
        await outage(ledger)
        await stored(ledger, _WAVE)
    found = await balance(rig, ledger=ledger, within=within) | _misbehaved(rig, ledger, lives)
    if ledger.attempts["unknown"] == before and ledger.slowest < felt:
        found["the outage was not felt"] = 1
    return found


def _misbehaved(rig: Rig, ledger: Ledger, lives: dict[str, int]) -> Findings:
    """Count answers that nobody may give, and processes that did not live through it."""
    late = ledger.slowest > IN_TIME
    dead = sum(process.lives != lives[name] for name, process in rig.processes.items())
    counts = {
        "5xx that was not 503 with Retry-After": ledger.wrong.total(),
        "no answer at all": ledger.silent,
        "answered after the handler's limit": int(late),
        "processes that were started again": dead,
    }
    return {what: count for what, count in counts.items() if count}


async def stored(ledger: Ledger, count: int, within: float = 30) -> None:
    """Wait until so many more leads were answered 2xx."""
    enough = len(ledger.stored_at) + count
    async with asyncio.timeout(within):
        while len(ledger.stored_at) < enough:
            await asyncio.sleep(0.02)


async def terminate_all(rig: Rig, *, seconds: float, every: float = 0.1) -> int:
    """End all sessions of the rig's databases, again and again; return how many it were."""
    administrator = await asyncpg.connect(rig.stack.postgres_url, ssl=False)
    names = [url.rpartition("/")[2] for url in rig.urls.values()]
    ended, end = 0, time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            ended += await administrator.fetchval(_TERMINATE, names)
            await asyncio.sleep(every)
    finally:
        await administrator.close()
    return ended


@asynccontextmanager
async def full(rig: Rig) -> AsyncGenerator[None]:
    """Let the rig's databases take no more connections during the block, and end those there are.

    The error is the one of a server whose `max_connections` are used up: 53300.
    """
    administrator = await asyncpg.connect(rig.stack.postgres_url, ssl=False)
    names = [url.rpartition("/")[2] for url in rig.urls.values()]

    async def limit(connections: int) -> None:
        for name in names:
            await administrator.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT {connections}')

    try:
        await limit(0)
        await administrator.fetchval(_TERMINATE, names)
        yield
    finally:
        await limit(-1)
        await administrator.close()
