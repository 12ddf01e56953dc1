"""Scenarios: workers join, leave, stand still and come back, while leads come in by HTTP.

Two replicas of each worker, so that there is somebody to take over, and to be overtaken.
"""

import asyncio
import contextlib
import random
import signal
import time
from dataclasses import dataclass, field

import httpx
from tests.faults.invariants import Findings, balance
from tests.faults.ledger import Ledger
from tests.faults.rig.load import INTAKE, SCORING, leads_coming_in, level, watched
from tests.faults.rig.rig import Rig
from tests.stack.process import Process

_WARM = 2.0
_LEVEL_WITHIN = 90.0
_A_SECOND = 30
_SHORT = {"lease_seconds": "2", "session_seconds": "6"}
_HALF = 0.5
_LONGER = 7.0
_LEARNS_WITHIN = 15.0
_ASK_EVERY = 0.1
_BOTH = (INTAKE, SCORING)


@dataclass
class Seen:
    """What a scenario saw.

    Attributes:
        windows: how many leads reached scoring in each window of time.
        stood: seconds from each standstill until the others had done all the work.
        still_relaying: standstills of a worker after which its lease had not moved.
        overtaken: workers that learned, when they woke up, that it is no longer their turn.
        open_requests: how many an API had at each standstill.
        late: requests not answered 2xx because of that, at each standstill.
    """

    broken: Findings = field(default_factory=dict)
    not_taken: int = 0
    windows: list[int] = field(default_factory=list)
    stood: list[float] = field(default_factory=list)
    still_relaying: int = 0
    overtaken: int = 0
    open_requests: list[int] = field(default_factory=list)
    late: list[int] = field(default_factory=list)


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
    seen.broken = await balance(rig, ledger=ledger, within=_LEVEL_WITHIN)
    seen.not_taken = ledger.not_taken
    return seen


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
    """Who relays for intake and for scoring, and the door, stand still past their time; go on."""
    seen = Seen()
    door, _ = await _two_of_each(rig)
    async with leads_coming_in(rig, door, a_second=_A_SECOND) as ledger:
        await asyncio.sleep(_WARM)
        for _ in range(times):
            zombies = [await _relaying(rig, service) for service in _BOTH]
            began = time.monotonic()
            for zombie in zombies:
                zombie.send(signal.SIGSTOP)
            await asyncio.sleep(_WARM)
            await level(rig, within=_LEVEL_WITHIN)
            seen.stood.append(time.monotonic() - began)
            others = [await _relaying(rig, service) for service in _BOTH]
            seen.still_relaying += sum(a is b for a, b in zip(zombies, others, strict=True))
            late = ledger.not_taken
            seen.open_requests.append(await _stand_still(door, ledger))
            seen.late.append(ledger.not_taken - late)
            for zombie in zombies:
                zombie.send(signal.SIGCONT)
            seen.overtaken += sum([await _is_overtaken(zombie) for zombie in zombies])
            await level(rig, within=_LEVEL_WITHIN)
    seen.broken = await balance(rig, ledger=ledger, within=_LEVEL_WITHIN)
    seen.not_taken = ledger.not_taken - sum(seen.late)
    return seen


async def _stand_still(door: Process, ledger: Ledger) -> int:
    """Stop an API that has requests open, for longer than their limits; return how many it had.

    What was open when it was ready again has an answer afterwards, at its first try or a later one.
    """
    async with asyncio.timeout(_LEVEL_WITHIN):
        while not ledger.open:
            await asyncio.sleep(0)
        door.send(signal.SIGSTOP)
        count = len(ledger.open)
        await asyncio.sleep(_LONGER)
        door.send(signal.SIGCONT)
        await door.ready()
        begun = ledger.open
        while begun & ledger.open:
            await asyncio.sleep(_ASK_EVERY)
    return count


async def _is_overtaken(zombie: Process) -> bool:
    """Tell whether a worker that woke up learns that the lease is no longer its own."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LEARNS_WITHIN), httpx.AsyncClient() as client:
            while True:
                answer = await client.get(f"{zombie.operations_url}/metrics")
                if 'handoff_lease_epoch{lease="relay"} 0.0' in answer.text:
                    return True
                await asyncio.sleep(_ASK_EVERY)
    return False


async def _relaying(rig: Rig, service: str) -> Process:
    return rig.processes[await rig.one(service, "SELECT owner FROM lease WHERE name = 'relay'")]


async def _two_of_each(rig: Rig) -> tuple[Process, list[Process]]:
    """Start two workers of each service, and intake's door."""
    door, *crew = await asyncio.gather(
        rig.start(INTAKE, "api"),
        *(rig.start(service, number=n, **_SHORT) for service in rig.urls for n in (0, 1)),
    )
    return door, crew
