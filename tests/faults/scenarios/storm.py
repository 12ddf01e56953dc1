"""The storm: every process of all four services is killed at random while leads go in.

What a kill interrupts is counted before it: a kill of an idle process would prove nothing.
"""

import asyncio
import random
from dataclasses import dataclass, field

from tests.faults.invariants import Findings, broken
from tests.faults.ledger import Ledger, make_source, some_leads, storm
from tests.faults.rig.quiet import quiet
from tests.faults.rig.rig import SERVICES, Rig
from tests.faults.rig.waiting import until
from tests.stack.process import Process

from shared.contracts.catalogue import TOPICS, heard_by
from shared.messaging.attempts import ENDED

_SETTLED = 1.0
_CHOICES = 4
_LOOK_EVERY = 0.1
_REPS = ("Ann", "Bob", "Cem")
_MOST_SUSPECTED = 200
_ALL_DONE = "SELECT count(*) = 0 FROM parking_order WHERE done_at IS NULL"


@dataclass
class Storm:
    """What a storm was, and what was left of it.

    Attributes:
        at_work: kills that interrupted something.
        suspected: leads that waited for a person in the end, because the process had died three
            times while an event of theirs was tried; nothing was wrong with them.
    """

    ledger: Ledger = field(default_factory=Ledger)
    broken: Findings = field(default_factory=dict)
    at_work: int = 0
    suspected: int = 0
    seconds_to_balance: float = 0.0


async def random_kills(
    rig: Rig, *, leads: int, a_second: float, kills: int, seed: int, pause: float = 0.6
) -> Storm:
    """Send leads, and kill at random until all are sent and so many kills are done."""
    found, chance = Storm(), random.Random(seed)
    processes = [rig.process(name, role) for name in SERVICES for role in ("api", "worker")]
    for process in processes:
        process.start()
    await asyncio.gather(*(process.ready() for process in processes))
    async with await rig.client(rig.processes["sales_pipeline-api-0"]) as pipeline:
        for name in _REPS:
            await pipeline.post("/v1/reps", json={"name": name, "email": f"{name}@example.com"})
    async with await rig.client(rig.processes["marketing_intake-api-0"]) as client:
        some = some_leads(await make_source(client), leads, seed=seed)
        sending = asyncio.create_task(
            storm(client, some, at_once=32, a_second=a_second, ledger=found.ledger)
        )
        while not sending.done() or rig.kills < kills:
            victim, busy = await _at_work(rig, processes, chance, sending=not sending.done())
            found.at_work += busy
            victim.kill()
            await asyncio.sleep(chance.uniform(0, 2 * pause))
            while not sending.done() and rig.kills / kills > len(found.ledger.receipts) / leads:
                await asyncio.sleep(_LOOK_EVERY)  # so that no part of the leads is spared
        await sending
    found.seconds_to_balance = await quiet(rig, within=120)
    found.suspected = sum([await _release(rig, service) for service in SERVICES])
    await quiet(rig)
    found.broken = await broken(rig, ledger=found.ledger)
    return found


async def _release(rig: Rig, service: str) -> int:
    """Release what a service suspects, as a person does who sees that it is sound; count it."""
    api = rig.processes[f"{service}-api-0"]
    await api.ready()  # it may have been killed last
    async with await rig.client(api) as client:
        leads = (await client.get("/v1/parked", params={"limit": _MOST_SUSPECTED})).json()["items"]
        for lead in leads:
            assert lead["error"] == ENDED, lead
            (await client.post(f"/v1/parked/{lead['id']}/release")).raise_for_status()
    await until(rig, service, _ALL_DONE)
    return len(leads)


async def _at_work(
    rig: Rig, processes: list[Process], chance: random.Random, *, sending: bool
) -> tuple[Process, bool]:
    """Choose a process that is at work; after some that are not, one that may be idle."""
    for _ in range(_CHOICES):
        victim = await _settled(processes, chance)
        if await has_work(rig, victim, sending=sending):
            return victim, True
    return victim, False


async def _settled(processes: list[Process], chance: random.Random) -> Process:
    """Choose a process that has come back from its last death, and is at work again."""
    while True:
        victim = chance.choice(processes)
        if victim.age > _SETTLED and await victim.is_ready():
            return victim
        await asyncio.sleep(_LOOK_EVERY)


async def has_work(rig: Rig, process: Process, *, sending: bool) -> bool:
    """Tell whether something waits for the process, or is in its hands, at this moment.

    `sending`: leads are being posted, so that the intake's API always has some in its hands.
    """
    service, role, _ = process.name.split("-")
    busy = await rig.one(
        service,
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND (state = 'active' OR xact_start IS NOT NULL)",
    )
    if role == "api" or busy:
        return bool(busy) or (sending and service == "marketing_intake")
    if service == "marketing_intake":
        waiting = "SELECT count(*) FROM submission WHERE outcome IS NULL"
        return bool(await rig.one(service, waiting) or await _depth(rig, service))
    return await _depth(rig, service) > 0 or await _lag(rig, service) > 0


async def _depth(rig: Rig, service: str) -> int:
    return await rig.one(service, "SELECT count(*) FROM outbox")


async def _lag(rig: Rig, service: str) -> int:
    """Return how many events were said that the service has not heard."""
    topics = heard_by(service.replace("_", "-"))
    heard = await rig.one(service, "SELECT coalesce(sum(last_sequence), 0) FROM stream")
    said = 0
    for topic in TOPICS:
        if topic.name in topics:
            said += await rig.one(
                topic.publisher.replace("-", "_"),
                "SELECT coalesce(sum(last_sequence), 0) FROM said_stream WHERE topic = $1",
                topic.name,
            )
    return int(said - heard)
