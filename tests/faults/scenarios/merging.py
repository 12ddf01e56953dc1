"""Scenario: leads merge while events of both are on their way and whoever hears them is killed."""

import asyncio
import random
from collections.abc import Sequence

import httpx
from tests.faults.invariants import Findings, balance
from tests.faults.ledger import Leads, Ledger, make_source, some_leads, storm
from tests.faults.rig.rig import Rig
from tests.faults.scenarios.storm import has_work
from tests.stack.process import Process

HEARERS = ("lead_scoring", "sales_pipeline", "notifier")
_LEADS_OF = """
    SELECT k.value, k.lead_id FROM identity_key k WHERE k.kind = 'email' AND k.value = ANY($1)
"""
_LEFT_OVER = {
    "lead_scoring": "SELECT count(*) FROM lead_score l JOIN subject s ON s.id = l.lead_id",
    "sales_pipeline": "SELECT count(*) FROM deal d JOIN subject s ON s.id = d.lead_id",
    "notifier": "SELECT count(*) FROM task t JOIN subject s ON s.id = t.lead_id",
}


async def while_events_are_on_their_way(
    rig: Rig, *, pairs: int, seed: int, within: float = 60.0
) -> tuple[Findings, int]:
    """Pairs of leads come in, merge, and come again, while the workers are killed at random.

    Returns what is broken, and how many of the kills hit a worker that was at work.
    """
    door = rig.process("marketing_intake", "api")
    workers = [rig.process(name) for name in ("marketing_intake", *HEARERS)]
    for process in (door, *workers):
        process.start()
    await asyncio.gather(*(process.ready() for process in (door, *workers)))
    ledger, stop = Ledger(), asyncio.Event()
    async with await rig.client(door) as client:
        source = await make_source(client)
        killing = asyncio.create_task(_kill(rig, workers, random.Random(seed), stop))
        await storm(client, _visits(source, pairs, 1), at_once=8, a_second=40, ledger=ledger)
        again = asyncio.create_task(
            storm(client, _visits(source, pairs, 2), at_once=8, a_second=20, ledger=ledger)
        )
        await _merge_all(rig, client, pairs)
        await again
        await storm(client, _visits(source, pairs, 3), at_once=8, a_second=40, ledger=ledger)
        stop.set()
        at_work = await killing
    found = await balance(rig, ledger=ledger, within=within)
    return found | await _left_over(rig, pairs), at_work


def _visits(source: str, pairs: int, visit: int) -> Leads:
    """Return a visit of both persons of each pair: people whom sales wants."""
    leads = some_leads(source, 2 * pairs, seed=visit)
    return {
        key: body | {"email": _email(number), "job_title": "VP Sales"}
        for number, (key, body) in enumerate(leads.items())
    }


def _email(number: int) -> str:
    return f"person{number}@example.com"


async def _merge_all(rig: Rig, client: httpx.AsyncClient, pairs: int) -> None:
    """Merge the second of each pair into the first, as soon as both are known."""
    emails = [_email(number) for number in range(2 * pairs)]
    leads: dict[str, str] = {}
    async with asyncio.timeout(60):
        while len(leads) < len(emails):
            rows = await rig.ask("marketing_intake", _LEADS_OF, emails)
            leads = {row["value"]: str(row["lead_id"]) for row in rows}
            await asyncio.sleep(0.1)
    for number in range(0, 2 * pairs, 2):
        stays, goes = leads[_email(number)], leads[_email(number + 1)]
        answer = await client.post(f"/v1/leads/{goes}/merge", json={"into": stays})
        answer.raise_for_status()


async def _kill(
    rig: Rig, workers: Sequence[Process], chance: random.Random, stop: asyncio.Event
) -> int:
    at_work = 0
    while not stop.is_set():
        victim = chance.choice(workers)
        if victim.age > 1 and await victim.is_ready():
            at_work += await has_work(rig, victim, sending=True)
            victim.kill()
        await asyncio.sleep(chance.uniform(0.1, 0.9))
    return at_work


async def _left_over(rig: Rig, pairs: int) -> Findings:
    """Count what a service still has under a merged name, and merges that it has not made."""
    found: Findings = {}
    for service, rows in _LEFT_OVER.items():
        # A deal that was given up keeps its place in the survivor's history, under its name.
        found[f"{service}: left under a merged name"] = await rig.one(
            service, f"{rows} WHERE s.alias_of IS NOT NULL"
        )
        merged = await rig.one(service, "SELECT count(*) FROM subject WHERE alias_of IS NOT NULL")
        found[f"{service}: merges not made"] = pairs - merged
    return {name: count for name, count in found.items() if count}
