"""Scenarios: workers join, leave, stand still and come back, while leads come in by HTTP.

Two replicas of each worker, so that there is somebody to take over, and to be overtaken.
"""

import asyncio
import random
import signal
import time
from dataclasses import dataclass, field

from tests.faults.invariants import Findings, broken
from tests.faults.ledger import Ledger
from tests.faults.rig.load import INTAKE, SCORING, leads_coming_in, level, not_taken, watched
from tests.faults.rig.process import Process
from tests.faults.rig.quiet import quiet
from tests.faults.rig.rig import Rig

_WARM = 2.0
_LEVEL_WITHIN = 90.0
_A_SECOND = 30
_SHORT = {"lease_seconds": "2", "session_seconds": "6"}
_HALF = 0.5
_LONGER = 8.0


@dataclass
class Seen:
    """What a scenario saw.

    Attributes:
        windows: how many leads reached scoring in each window of time.
        stood: seconds from each standstill until the others had done all the work.
    """

    broken: Findings = field(default_factory=dict)
    not_taken: int = 0
    windows: list[int] = field(default_factory=list)
    stood: list[float] = field(default_factory=list)


async def coming_and_going(
    rig: Rig, *, seconds: float, window: float, every: float, seed: int
) -> Seen:
    """Members of each kind leave, in order or killed, and others join, under old names and new."""
    seen, chance = Seen(), random.Random(seed)
    door, crew = await _two_of_each(rig)
    async with leads_coming_in(rig, door, a_second=_A_SECOND) as ledger:
        await asyncio.sleep(_WARM)
        async with watched(rig) as watch:
            end, number = time.monotonic() + seconds, 2
            while time.monotonic() < end:
                place = chance.randrange(len(crew))
                crew[place] = await _replace(rig, crew[place], number, chance)
                number += 1
                await asyncio.sleep(every)
        seen.windows = watch.windows(window)
    return await _settled(rig, ledger, seen)


async def _replace(rig: Rig, member: Process, number: int, chance: random.Random) -> Process:
    """End one member and start one: the same again, or another under a name of its own."""
    await (member.die() if chance.random() < _HALF else member.stop())
    if chance.random() < _HALF:
        another = member
    else:
        another = rig.process(member.name.partition("-")[0], number=number, **_SHORT)
    another.start()
    await another.ready()
    return another


async def standing_still(rig: Rig, *, times: int) -> Seen:
    """Who relays for intake and who does for scoring stand still past lease and session; go on."""
    seen = Seen()
    door, _ = await _two_of_each(rig)
    async with leads_coming_in(rig, door, a_second=_A_SECOND) as ledger:
        await asyncio.sleep(_WARM)
        for _ in range(times):
            zombies = [await _relaying(rig, service) for service in (INTAKE, SCORING)]
            began = time.monotonic()
            for zombie in zombies:
                zombie.send(signal.SIGSTOP)
            await asyncio.sleep(_WARM)
            await level(rig, within=_LEVEL_WITHIN)
            seen.stood.append(time.monotonic() - began)
            await asyncio.sleep(max(0.0, _LONGER + began - time.monotonic()))
            for zombie in zombies:
                zombie.send(signal.SIGCONT)
            await asyncio.sleep(_WARM)
    return await _settled(rig, ledger, seen)


async def _relaying(rig: Rig, service: str) -> Process:
    return rig.processes[await rig.one(service, "SELECT owner FROM lease WHERE name = 'relay'")]


async def _two_of_each(rig: Rig) -> tuple[Process, list[Process]]:
    """Start two workers of intake and of scoring, and intake's door."""
    door, *crew = await asyncio.gather(
        rig.start(INTAKE, "api"),
        *(rig.start(s, number=n, **_SHORT) for s in (INTAKE, SCORING) for n in (0, 1)),
    )
    return door, crew


async def _settled(rig: Rig, ledger: Ledger, seen: Seen) -> Seen:
    await quiet(rig, within=_LEVEL_WITHIN)
    seen.not_taken = not_taken(ledger)
    seen.broken = await broken(rig, ledger=ledger)
    return seen
