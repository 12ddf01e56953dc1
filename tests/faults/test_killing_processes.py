"""SIGKILL is normal life: each process dies in turn while leads go in, and the books balance."""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import Generator
from typing import Any

import httpx
import pytest
from tests.faults import invariants
from tests.faults.ledger import Ledger, storm
from tests.stack import system as whole
from tests.stack.system import System

LEADS = 1000
BACK_WITHIN = 60.0
VICTIMS = [
    (service, role)
    for service in ("marketing-intake", "lead-scoring", "sales-pipeline", "notifier")
    for role in ("api", "worker")
]


@pytest.fixture(scope="module")
def system() -> Generator[System]:
    with whole.running() as system:
        yield system


def some_leads(source_id: str, count: int, *, seed: int) -> dict[str, dict[str, Any]]:
    """Return leads under their keys; a fifth are people who come a second time."""
    chance = random.Random(seed)
    leads: dict[str, dict[str, Any]] = {}
    for number in range(count):
        person = chance.randrange(number) if number and chance.random() < 0.2 else number
        leads[f"key-{seed}-{number}"] = {
            "source_id": source_id,
            "email": f"person{person}.{seed}@company{person % 50}.com",
            "first_name": "Jo",
            "company": f"Company {person % 50}",
            "job_title": chance.choice(["VP Sales", "Intern", "Head of Marketing"]),
            "message": chance.choice(["Please show us a demo", ""]),
            "page_url": "https://www.example.com/pricing",
        }
    return leads


async def kill_in_turn(system: System, done: asyncio.Event) -> int:
    """Kill one process after the other, each in its work, at least once round and until told."""
    kills = 0
    while not done.is_set() or kills < len(VICTIMS):
        service, role = VICTIMS[kills % len(VICTIMS)]
        for pid in system.pids(service, role):
            os.kill(pid, signal.SIGKILL)
        kills += 1
        await back(system, service, role)
    return kills


async def back(system: System, service: str, role: str) -> None:
    """Wait until a service's processes of a role are ready again."""
    async with asyncio.timeout(BACK_WITHIN), httpx.AsyncClient() as client:
        for process in system.status["services"][service]["processes"]:
            if process["role"] == role:
                await asyncio.sleep(0.5)
                await ready(client, f"{process['operations_url']}/readyz")


async def ready(client: httpx.AsyncClient, url: str) -> None:
    """Wait until a URL answers 200."""
    while True:
        with contextlib.suppress(httpx.TransportError):
            if (await client.get(url)).is_success:
                return
        await asyncio.sleep(0.2)


@pytest.mark.timeout(300)
async def test_nothing_is_lost_or_doubled_while_every_process_is_killed_in_turn(
    system: System,
    record_property: Any,
) -> None:
    async with system.client("sales-pipeline") as pipeline:
        await pipeline.post("/v1/reps", json={"name": "Ann", "email": "ann@example.com"})
    async with system.client("marketing-intake") as intake:
        body = {"name": "Storm", "kind": "api", "channel": "advertising"}
        source = (await intake.post("/v1/sources", json=body)).json()
        done = asyncio.Event()
        killing = asyncio.create_task(kill_in_turn(system, done))
        ledger: Ledger = await storm(intake, some_leads(source["id"], LEADS, seed=1), a_second=50)
        done.set()
        kills = await killing
    databases = await invariants.connect(system)
    await invariants.quiet(databases)
    broken = await invariants.broken(databases, ledger)
    await databases.close()
    audit = system.handoff("audit", check=False)
    record_property("kills", kills)
    print(f"{kills} kills, attempts {dict(ledger.attempts)}")

    assert ledger.refused == {}
    assert len(ledger.receipts) == LEADS
    assert broken == {}
    assert audit.returncode == 0, audit.stdout
    assert kills >= len(VICTIMS)
