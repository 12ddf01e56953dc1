"""Ten thousand random arrivals from eight processes; a simple model says who they must be.

The model replays them in the order in which they were resolved, which the service records. It is
written from the rule's words, and shares no code with the service.
"""

import asyncio
import json
import os
import random
import sys
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.marketing_intake.conftest import SCOPES
from tests.stack.keys import bearer, make_key
from tests.stack.process import Process
from tests.stack.services import NO_KAFKA, environment, running, service

ARRIVALS = 10_000
_RESOLVER = ("marketing_intake.worker", "--only", "resolve")
PROCESSES = 8
PEOPLE = 2_000
SHARED_PHONES = 40
SENDER = Path(__file__).with_name("sender.py")
Arrival = dict[str, Any]


def arrivals(seed: int, source_id: str) -> list[Arrival]:
    """Return random arrivals; each is told apart by its `source_event_id`."""
    chance = random.Random(seed)
    return [_arrival(chance, number, seed) | {"source_id": source_id} for number in range(ARRIVALS)]


def _arrival(chance: random.Random, number: int, seed: int) -> Arrival:
    person = chance.randrange(PEOPLE)
    email = f"p{person}@seed{seed}.example.com"
    own = f"+4930{seed % 100:02}{person:06}"
    lead: Arrival = {"source_event_id": str(number), "company": f"Company {number}"}
    kind = chance.random()
    if kind < 0.1:
        shared = f"+4940{seed % 100:02}{chance.randrange(SHARED_PHONES):06}"
        return lead | {"email": email, "phone": shared}
    if kind < 0.2:
        phone = chance.choice([own, f"+4940{seed % 100:02}{chance.randrange(SHARED_PHONES):06}"])
        return lead | {"phone": phone}
    written = chance.choice([email, email.upper()])
    return lead | ({"email": written, "phone": own} if kind < 0.6 else {"email": written})


@dataclass
class Person:
    """A lead, as the model sees it."""

    email: str | None = None
    phones: set[str] = field(default_factory=set)
    arrivals: set[str] = field(default_factory=set)
    company: tuple[Any, str] | None = None


class Oracle:
    """The rule of identity, one arrival after the other."""

    def __init__(self) -> None:
        self.people: list[Person] = []
        self.by_email: dict[str, Person] = {}
        self.by_phone: dict[str, list[Person]] = {}
        self.outcomes: Counter[str] = Counter()

    def arrive(self, arrival: Arrival, received_at: object) -> None:
        email = arrival.get("email", "").lower() or None
        phone = arrival.get("phone")
        person = self._whose(email, phone)
        self.outcomes["updated" if person else "created"] += 1
        if person is None:
            person = Person()
            self.people.append(person)
        person.email = person.email or email
        if email:
            self.by_email[email] = person
        if phone and phone not in person.phones:
            person.phones.add(phone)
            self.by_phone.setdefault(phone, []).append(person)
        person.arrivals.add(arrival["source_event_id"])
        if person.company is None or received_at >= person.company[0]:
            person.company = (received_at, arrival["company"])

    def _whose(self, email: str | None, phone: str | None) -> Person | None:
        if email in self.by_email:
            return self.by_email[email]
        holders = self.by_phone.get(phone or "", [])
        if len(holders) != 1:
            return None
        return None if email and holders[0].email else holders[0]


async def send(url: str, key: str, leads: list[Arrival], directory: Path) -> None:
    """Post the leads from eight processes, some alone, most in batches."""
    chance = random.Random(len(leads))
    shares: list[list[list[Arrival]]] = [[] for _ in range(PROCESSES)]
    rest = list(leads)
    while rest:
        size = chance.choice([1, 1, 5, 25])
        shares[chance.randrange(PROCESSES)].append(rest[:size])
        rest = rest[size:]
    senders = []
    for number, share in enumerate(shares):
        file = directory / f"share{number}.json"
        file.write_text(json.dumps(share))
        senders.append(
            await asyncio.create_subprocess_exec(sys.executable, SENDER, url, key, str(file))
        )
    assert [await sender.wait() for sender in senders] == [0] * PROCESSES


async def all_resolved(engine: AsyncEngine) -> None:
    for _ in range(1200):
        async with engine.connect() as connection:
            left = await connection.scalar(
                text("SELECT count(*) FROM submission WHERE outcome IS NULL")
            )
        if left == 0:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{left} submissions are not resolved")


async def replay(engine: AsyncEngine, leads: list[Arrival], source_id: str) -> Oracle:
    known = {lead["source_event_id"]: lead for lead in leads}
    oracle = Oracle()
    async with engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT key, received_at FROM submission WHERE source_id = :id ORDER BY resolution"
            ),
            {"id": UUID(source_id)},
        )
        for row in rows:
            oracle.arrive(known[row.key.removeprefix("event:")], row.received_at)
    return oracle


async def found(engine: AsyncEngine, source_id: str) -> list[tuple[Any, ...]]:
    """Return the leads as the service has them, each as what tells it apart."""
    sql = """
        SELECT l.email, l.company, l.version,
               (SELECT array_agg(phone ORDER BY phone) FROM lead_phone p WHERE p.lead_id = l.id),
               array_agg(s.key ORDER BY s.key),
               (SELECT array_agg(o.sequence ORDER BY o.id) FROM outbox o WHERE o.subject = l.id),
               (SELECT count(*) FROM touchpoint t WHERE t.lead_id = l.id)
        FROM lead l JOIN submission s ON s.lead_id = l.id
        WHERE s.source_id = :id GROUP BY l.id
    """
    async with engine.connect() as connection:
        rows = await connection.execute(text(sql), {"id": UUID(source_id)})
        return sorted((_comparable(row) for row in rows), key=str)


def _comparable(row: Any) -> tuple[Any, ...]:
    email, company, version, phones, keys, sequences, touchpoints = row
    assert sequences == list(range(1, len(keys) + 1))
    assert version == touchpoints == len(keys)
    return email, company, phones or [], [key.removeprefix("event:") for key in keys]


def expected(oracle: Oracle) -> list[tuple[Any, ...]]:
    leads = [
        (one.email, one.company[1], sorted(one.phones), _as_sorted_keys(one.arrivals))
        for one in oracle.people
        if one.company
    ]
    return sorted(leads, key=str)


def _as_sorted_keys(numbers: set[str]) -> list[str]:
    return [key.removeprefix("event:") for key in sorted(f"event:{number}" for number in numbers)]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(int(os.environ.get("HANDOFF_SEEDS", "1"))))
async def test_the_leads_are_those_of_the_model(
    database_url: str, engine: AsyncEngine, tmp_path: Path, seed: int
) -> None:
    key = await make_key(engine, *SCOPES)
    async with AsyncExitStack() as stack:
        door = a_process(database_url, tmp_path, "door", "marketing_intake.api")
        resolvers = [
            a_process(database_url, tmp_path, f"resolver-{number}", *_RESOLVER)
            for number in range(2)
        ]
        for process in (door, *resolvers):
            await stack.enter_async_context(running(process))
        source_id = await make_source(door.url, key)
        leads = arrivals(seed, source_id)

        await send(door.url, key, leads, tmp_path)
        await all_resolved(engine)

    oracle = await replay(engine, leads, source_id)
    assert await found(engine, source_id) == expected(oracle)
    assert sum(oracle.outcomes.values()) == ARRIVALS
    assert await outcomes(engine, source_id) == oracle.outcomes


def a_process(database_url: str, logs: Path, name: str, *words: str) -> Process:
    told = environment(database_url, NO_KAFKA, name, log_level="error")
    return service(told, logs / f"{name}.log", *words)


async def make_source(url: str, key: str) -> str:
    wanted = {"name": "Arrivals", "kind": "api", "channel": "content"}
    headers = bearer(key)
    async with httpx.AsyncClient(base_url=url, headers=headers) as http:
        return (await http.post("/v1/sources", json=wanted)).json()["id"]


async def outcomes(engine: AsyncEngine, source_id: str) -> Counter[str]:
    sql = "SELECT outcome, count(*) AS n FROM submission WHERE source_id = :id GROUP BY outcome"
    async with engine.connect() as connection:
        rows = await connection.execute(text(sql), {"id": UUID(source_id)})
        return Counter({row.outcome: row.n for row in rows})
