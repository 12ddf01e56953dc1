"""Scenario: an upgrade, the way back, and the upgrade again, while leads come in by HTTP.

The code before runs on its own tables; the migrations of the code after it are run beside it. Then
process by process the one takes the place of the other, goes back on tables that stay, and comes
again: so for a while both work at once, and for a while the older one alone on newer tables.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import asyncpg
import httpx
from tests.faults.invariants import INTAKE, NOTIFIER, PIPELINE, SCORING, Findings, balance
from tests.faults.ledger import Ledger
from tests.faults.rig import tables
from tests.faults.rig.code import Code
from tests.faults.rig.fleet import Fleet, fleet_of
from tests.faults.rig.load import leads_coming_in
from tests.faults.rig.rig import Rig

_A_SECOND = 30
_PAUSE = 0.05
_WITHIN = 60.0
_GAVE_WAY = b"migration_gives_way"
_LISTS = {
    INTAKE: "/v1/leads",
    SCORING: "/v1/scores",
    PIPELINE: "/v1/deals",
    NOTIFIER: "/v1/tasks",
}


@dataclass(frozen=True)
class Size:
    """How much of it there is.

    Attributes:
        apis: the services whose APIs run and are asked, intake's among them.
        workers: of each service.
        at_once: how many processes are exchanged at a time.
        alone: how many events each service says wherever one version is alone.
        within: seconds that this may take.
    """

    apis: Collection[str] = (INTAKE,)
    workers: int = 1
    at_once: int = 1
    alone: int = 5
    within: float = 60.0


@dataclass
class Asked:
    """Who reads lists all the while: what was answered, and the slowest answer in seconds."""

    answers: Counter[int | str] = field(default_factory=Counter)
    slowest: float = 0.0


@dataclass
class Seen:
    """What a scenario saw.

    Attributes:
        usual: seconds that the slowest request took before anything was done.
        held: the same of those that were under way while tables changed.
        gave_way: whether a migration did, to somebody who had read on.
        together: fewest events that any service said while both versions ran, at each exchange.
        alone: the same while one was alone: before all exchanges, and after each.
    """

    broken: Findings = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    asked: Asked = field(default_factory=Asked)
    usual: float = 0.0
    held: float = 0.0
    gave_way: bool = False
    together: list[int] = field(default_factory=list)
    alone: list[int] = field(default_factory=list)
    versions: dict[Code, set[str]] = field(default_factory=dict)
    ends: Counter[int] = field(default_factory=Counter)

    @property
    def slowest(self) -> float:
        """Seconds that the slowest request took so far."""
        return max(self.ledger.slowest, self.asked.slowest)


async def to_the_code_of(rig: Rig) -> Findings:
    """Upgrade from the checkout to the code of the rig, and back, and again."""
    return (await there_and_back(rig, Code(), rig.code, Size(within=4.0), seed=1)).broken


async def there_and_back(rig: Rig, before: Code, after: Code, size: Size, *, seed: int) -> Seen:
    """Upgrade, go back, upgrade again, while leads come in; balance."""
    seen, chance = Seen(), random.Random(seed)
    await _migrate(rig, before)
    async with fleet_of(rig, before, apis=size.apis, workers=size.workers) as fleet:
        seen.versions, seen.ends = fleet.versions, fleet.ends
        async with (
            leads_coming_in(rig, fleet.api(INTAKE), a_second=_A_SECOND, ledger=seen.ledger),
            _lists_asked_for(fleet, seen.asked),
        ):
            await _alone(rig, size, seen)
            seen.usual = seen.slowest
            seen.ledger.slowest = seen.asked.slowest = 0.0
            seen.gave_way = await _migrate_beside_a_reader(rig, after)
            await _all_answered(seen.ledger)
            seen.held = seen.slowest
            for code in (after, before, after):
                if code is before:
                    await _migrate(rig, before)
                began = await _said(rig)
                await fleet.exchange(code, chance, at_once=size.at_once)
                seen.together.append(_fewest(began, await _said(rig)))
                await _alone(rig, size, seen)
        seen.broken = await balance(rig, ledger=seen.ledger, within=_WITHIN)
    return seen


async def _migrate(rig: Rig, code: Code) -> None:
    """Bring all tables up to date by this code; those that are newer it leaves as they are."""
    log = rig.logs / "migrate.log"
    begun = [await tables.begin(url, service, code, log) for service, url in rig.urls.items()]
    ends = [await process.wait() for process in begun]
    assert not any(ends), log.read_text()


async def _migrate_beside_a_reader(rig: Rig, code: Code) -> bool:
    """Migrate while somebody reads on in a table of intake; tell whether the migration gave way.

    It cannot have the table meanwhile, and whoever comes after it waits behind it.
    """
    log = rig.logs / "migrate.log"
    async with _reading_on(rig, "submission"):
        migrating = asyncio.create_task(_migrate(rig, code))
        while not migrating.done() and not _has_given_way(log):
            await asyncio.sleep(_PAUSE)
    await migrating
    return _has_given_way(log)


def _has_given_way(log: Path) -> bool:
    return _GAVE_WAY in log.read_bytes()


@asynccontextmanager
async def _reading_on(rig: Rig, table: str) -> AsyncGenerator[None]:
    connection = await asyncpg.connect(rig.urls[INTAKE], ssl=False)
    try:
        async with connection.transaction():
            await connection.execute(f"SELECT FROM {table} LIMIT 0")
            yield
    finally:
        await connection.close()


async def _all_answered(ledger: Ledger) -> None:
    """Wait for the answers to all that is under way now."""
    under_way = ledger.open
    async with asyncio.timeout(_WITHIN):
        while under_way & ledger.open:
            await asyncio.sleep(_PAUSE)


async def _alone(rig: Rig, size: Size, seen: Seen) -> None:
    """Wait until each service has said so many events more than it had by now, or does not."""
    began, end = await _said(rig), time.monotonic() + size.within
    while (said := _fewest(began, await _said(rig))) < size.alone and time.monotonic() < end:
        await asyncio.sleep(_PAUSE)
    seen.alone.append(said)


def _fewest(began: dict[str, int], now: dict[str, int]) -> int:
    return min(now[service] - began[service] for service in began)


async def _said(rig: Rig) -> dict[str, int]:
    sql = "SELECT coalesce(sum(last_sequence), 0)::int FROM said_stream"
    return {service: await rig.one(service, sql) for service in rig.urls}


@asynccontextmanager
async def _lists_asked_for(fleet: Fleet, asked: Asked) -> AsyncGenerator[None]:
    """Ask every API for its list, each time on a connection of its own, during the block."""
    async with AsyncExitStack() as stack:
        clients = {
            service: await stack.enter_async_context(await _caller(fleet, service))
            for service in fleet.doors
        }
        asking = asyncio.create_task(_ask_on(clients, asked))
        try:
            yield
        finally:
            asking.cancel()
            await asyncio.wait([asking])
        if not asking.cancelled():
            asking.result()  # it ended by itself: what was not asked is no proof


async def _caller(fleet: Fleet, service: str) -> httpx.AsyncClient:
    client = await fleet.rig.client(fleet.api(service))
    client.headers["Connection"] = "close"
    return client


async def _ask_on(clients: dict[str, httpx.AsyncClient], asked: Asked) -> None:
    for service, client in cycle(clients.items()):
        began = time.monotonic()
        try:
            answer = (await client.get(_LISTS[service])).status_code
        except httpx.TransportError as error:
            answer = f"{service}: {error!r}"
        asked.answers[answer] += 1
        asked.slowest = max(asked.slowest, time.monotonic() - began)
        await asyncio.sleep(_PAUSE)
