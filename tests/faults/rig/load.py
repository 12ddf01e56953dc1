"""Leads that come in all the while a scenario does its worst, and how far they got meanwhile."""

import asyncio
import itertools
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
from tests.faults.ledger import Ledger, make_source, some_leads, storm
from tests.faults.rig.rig import Rig
from tests.stack.process import Process

from shared.clock import utc_now
from shared.ids import first_id_of, minted_at

INTAKE, SCORING = "marketing_intake", "lead_scoring"
_LOOK_EVERY = 0.2
AT_ONCE = 32


@asynccontextmanager
async def leads_coming_in(
    rig: Rig, door: Process, *, a_second: int, at_once: int = AT_ONCE, ledger: Ledger | None = None
) -> AsyncGenerator[Ledger]:
    """Post so many leads a second during the block; afterwards all of them have an answer."""
    ledger, over = ledger or Ledger(), asyncio.Event()
    async with await rig.client(door) as client:
        source = await make_source(client)

        async def post() -> None:
            while not over.is_set():
                leads = some_leads(source, a_second, seed=len(ledger.sent))
                await storm(client, leads, at_once=at_once, a_second=a_second, ledger=ledger)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(post())
            try:
                yield ledger
            finally:
                over.set()


async def level(rig: Rig, *, within: float) -> float:
    """Wait until every lead that is here now has its score; return the seconds that took.

    Leads that come in meanwhile need not be through.
    """
    began, now = time.monotonic(), utc_now()
    async with asyncio.timeout(within):
        while await _behind(rig, now):
            await asyncio.sleep(_LOOK_EVERY)
    return time.monotonic() - began


async def _behind(rig: Rig, moment: datetime) -> int:
    unresolved = "SELECT count(*) FROM submission WHERE outcome IS NULL AND received_at <= $1"
    bound = first_id_of(moment)
    made = await rig.one(INTAKE, "SELECT count(*) FROM lead WHERE id < $1", bound)
    scored = await rig.one(SCORING, "SELECT count(*) FROM lead_score WHERE lead_id < $1", bound)
    return await rig.one(INTAKE, unresolved, moment) + made - scored


@dataclass
class Watch:
    """What reached scoring while it was watched.

    Attributes:
        age: how old the newest lead was that had reached scoring, in seconds, at its worst.
        counts: how many leads had a score, at each moment from the first.
    """

    age: float = 0.0
    counts: list[tuple[float, int]] = field(default_factory=list)

    def windows(self, seconds: float) -> list[int]:
        """Return how many leads reached scoring in each window of so many seconds."""
        begin = self.counts[0][0]
        last = {int((at - begin) // seconds): count for at, count in self.counts}
        ends = [last[number] for number in sorted(last)][:-1]  # the last one is not whole
        return [after - before for before, after in itertools.pairwise([self.counts[0][1], *ends])]


@asynccontextmanager
async def watched(rig: Rig) -> AsyncGenerator[Watch]:
    """Watch how leads reach scoring during the block; ask for this while they do."""
    watch = Watch()
    connection = await asyncpg.connect(rig.urls[SCORING], ssl=False)
    looking = asyncio.create_task(_look(connection, watch))
    try:
        yield watch
    finally:
        looking.cancel()
        await asyncio.wait([looking])
        await connection.close(timeout=5)
    if not looking.cancelled():
        looking.result()  # it ended by itself: what was not watched is no figure


async def _look(connection: asyncpg.Connection, watch: Watch) -> None:
    newest = "SELECT lead_id FROM lead_score ORDER BY lead_id DESC LIMIT 1"
    while True:
        lead = await connection.fetchval(newest)
        count = await connection.fetchval("SELECT count(*) FROM lead_score")
        if lead is not None:
            age = utc_now() - minted_at(lead)
            watch.age = max(watch.age, age.total_seconds())
        watch.counts.append((time.monotonic(), count))
        await asyncio.sleep(_LOOK_EVERY)
