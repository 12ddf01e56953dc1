"""The processes of a rig's services, exchanged one after the other for those of other code.

As a cluster does it: an API only goes once its successor, at the same door, is ready; a worker goes
first, and its successor takes up under its name.
"""

import asyncio
import random
import re
import socket
from collections import Counter
from collections.abc import AsyncGenerator, Collection
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field

import httpx
from tests.faults.rig.code import Code
from tests.faults.rig.rig import Rig
from tests.stack.process import Process

_READY_WITHIN = 120.0
_VERSION = re.compile(r'handoff_build_info\{.*version="([^"]+)"')


@dataclass
class Fleet:
    """Workers of all services, and APIs of some, each at a door of the test's.

    Attributes:
        members: the processes that are to run, each in its place.
        versions: which versions of each service were seen to run, by the code that was meant.
        ends: how many processes ended, by their exit code.
    """

    rig: Rig
    doors: dict[str, socket.socket]
    members: list[Process] = field(default_factory=list)
    versions: dict[Code, set[str]] = field(default_factory=dict)
    ends: Counter[int] = field(default_factory=Counter)

    def api(self, service: str) -> Process:
        """Return the API of a service that runs now."""
        return next(each for each in self.members if each.name.startswith(f"{service}-api-"))

    async def start(self, code: Code, *, workers: int) -> None:
        """Start all of it, on this code."""
        self.rig.code = code
        self.members += [self.rig.api(service, door) for service, door in self.doors.items()]
        for service in self.rig.urls:
            self.members += [self.rig.process(service, number=n) for n in range(workers)]
        await asyncio.gather(*(self._begin(process) for process in self.members))

    async def exchange(self, code: Code, chance: random.Random, *, at_once: int) -> None:
        """Exchange all processes for those of this code, in any order, so many at a time."""
        self.rig.code = code
        places = chance.sample(range(len(self.members)), len(self.members))

        async def some() -> None:
            while places:
                place = places.pop()
                self.members[place] = await self._successor(self.members[place])

        await asyncio.gather(*(some() for _ in range(at_once)))

    async def _successor(self, old: Process) -> Process:
        service, role, number = old.name.split("-")
        if role == "worker":
            self.ends[await old.stop()] += 1
            new = self.rig.process(service, number=int(number))
            await self._begin(new)
        else:
            new = self.rig.api(service, self.doors[service], number=int(number) + 1)
            await self._begin(new)
            self.ends[await old.stop()] += 1
        return new

    async def _begin(self, process: Process) -> None:
        process.start()
        await process.ready(within=_READY_WITHIN)
        async with httpx.AsyncClient(timeout=5) as client:
            told = (await client.get(f"{process.operations_url}/metrics")).text
        found = _VERSION.search(told)
        assert found, told
        service = process.name.partition("-")[0]
        self.versions.setdefault(self.rig.code, set()).add(f"{service} {found[1]}")


@asynccontextmanager
async def fleet_of(
    rig: Rig, code: Code, *, apis: Collection[str], workers: int
) -> AsyncGenerator[Fleet]:
    """Run the rig's services on this code for the block; it may be exchanged meanwhile."""
    with ExitStack() as stack:
        doors = {
            service: stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=2048))
            for service in apis
        }
        fleet = Fleet(rig, doors)
        await fleet.start(code, workers=workers)
        yield fleet
