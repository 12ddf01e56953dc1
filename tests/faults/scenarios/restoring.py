"""Scenarios: one database is restored to an earlier moment while the others know better (D8)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

import httpx
from tests.faults.invariants import INTAKE, SCORING, Findings
from tests.faults.ledger import make_source, some_leads, storm
from tests.faults.rig import backups
from tests.faults.rig.feeder import feeding, updated
from tests.faults.rig.process import Process
from tests.faults.rig.quiet import quiet
from tests.faults.rig.rig import SERVICES, Rig, behind
from tests.faults.rig.topics import read_back

from handoff.audit.behind import State
from handoff.audit.reconcile import reconcile
from handoff.site import Site

LEADS = "handoff.leads.v1"
_LEADS = 10
_WITHIN = 40.0


@dataclass
class Restored:
    """What was seen after the restore."""

    findings: Findings = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)
    log: str = ""
    missing: int = 0


async def a_publisher(rig: Rig) -> Restored:
    """Restore the intake's database: its relay must refuse, and harm nobody."""
    door, work = await _run(rig)
    async with await rig.client(door) as client:
        source = await make_source(client)
        await _some(rig, client, source, seed=1)
        await backups.save(rig, INTAKE)
        await _some(rig, client, source, seed=2)
        before = await _records(rig)
        scores = await _scores(rig)
        await backups.restore(rig, INTAKE)
        result = Restored(troubles=await _held(work, "foreign_records"))
        await _post(client, source, seed=3)
        await _until(lambda: rig.one(INTAKE, "SELECT count(*) >= 10 FROM outbox"))
        async with feeding(rig.kafka) as feeder:
            lead = await rig.one(SCORING, "SELECT subject FROM stream LIMIT 1")
            last = await rig.one(SCORING, "SELECT last_sequence FROM stream WHERE subject=$1", lead)
            await feeder.send([feeder.next(updated(lead, 9), sequence=last)])
        await _until(lambda: rig.one(SCORING, _PARKED, lead, "conflict"))
    result.findings = {
        "processes that were started again": sum(p.lives - 1 for p in rig.processes.values()),
        "records sent after the restore": await _records(rig) - before - 1,
        "scores that moved": int(await _scores(rig) != scores),
        "not alive": int(await work.alive() > _WITHIN),
    }
    result.log = work.log.read_text()
    result.missing = await _audited(rig, State.AHEAD)
    return result


async def a_hearer(rig: Rig) -> Restored:
    """Restore scoring's database: what it lacks is seen, and nothing is applied over it."""
    door, _ = await _run(rig)
    async with await rig.client(door) as client:
        source = await make_source(client)
        await _some(rig, client, source, seed=1)
        await backups.save(rig, SCORING)
        await _some(rig, client, source, seed=1, again="a")  # those people, once more
        await _some(rig, client, source, seed=2)
        await backups.restore(rig, SCORING)
        positions = await _positions(rig)
        result = Restored(missing=await _audited(rig, State.MISSING))
        await _post(client, source, seed=1, again="b")
        await _until(lambda: rig.one(SCORING, _GAPS, len(positions)))
    moved = {subject for subject, last in (await _positions(rig)).items()
             if positions.get(subject) != last}  # fmt: skip
    result.findings = {
        "positions that moved over a gap": len(moved),
        "processes that were started again": sum(p.lives - 1 for p in rig.processes.values()),
    }
    return result


_PARKED = "SELECT count(*) > 0 FROM parked_event WHERE subject = $1 AND reason = $2"
_GAPS = "SELECT count(DISTINCT subject) >= $1 FROM parked_event WHERE reason = 'gap'"


async def _run(rig: Rig) -> tuple[Process, Process]:
    door, work = rig.process(INTAKE, "api"), rig.process(INTAKE)
    processes = (door, work, rig.process(SCORING))
    for process in processes:
        process.start()
    await asyncio.gather(*(process.ready() for process in processes))
    return door, work


async def _some(
    rig: Rig, client: httpx.AsyncClient, source: str, *, seed: int, again: str = ""
) -> None:
    """Post leads, and wait until they have their scores."""
    await _post(client, source, seed=seed, again=again)
    await quiet(behind(rig, urls={name: rig.urls[name] for name in (INTAKE, SCORING)}))


async def _post(client: httpx.AsyncClient, source: str, *, seed: int, again: str = "") -> None:
    leads = some_leads(source, _LEADS, seed=seed)
    await storm(
        client,
        {f"{key}{again}": {**lead, "message": f"{key}{again}"} for key, lead in leads.items()},
    )


async def _records(rig: Rig) -> int:
    streams = await read_back(rig.kafka, [LEADS])
    return sum(len(stream.envelopes) for stream in streams.values())


async def _scores(rig: Rig) -> list[tuple[UUID, int]]:
    rows = await rig.ask(SCORING, "SELECT lead_id, touchpoints FROM lead_score ORDER BY 1")
    return [(row[0], row[1]) for row in rows]


async def _positions(rig: Rig) -> dict[UUID, int]:
    rows = await rig.ask(SCORING, "SELECT subject, last_sequence FROM stream")
    return {row[0]: row[1] for row in rows}


async def _held(process: Process, reason: str) -> dict[str, str]:
    """Wait until the process says that a loop is held for this; return all its troubles."""
    async with asyncio.timeout(_WITHIN), httpx.AsyncClient() as client:
        while True:
            answer = await client.get(f"{process.operations_url}/readyz")
            troubles: dict[str, str] = answer.json()["troubles"]
            if any(reason in text for text in troubles.values()):
                return troubles
            await asyncio.sleep(0.1)


async def _audited(rig: Rig, state: State) -> int:
    """Return how many streams the audit finds in this state."""
    databases = {name.replace("_", "-"): rig.urls[name] for name in SERVICES}
    report = await reconcile(Site(databases=databases, apis={}, kafka=rig.kafka), wait=0)
    return sum(each.state is state for each in report.behind)


async def _until(ask: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(_WITHIN):
        while not await ask():
            await asyncio.sleep(0.1)
