"""A load client that keeps a ledger of every attempt: ok, refused, or unknown.

Unknown (a 5xx, a time-out, a reset) means "ask again with the same key", as a good sender does.
What was answered 2xx must be found afterwards exactly once, whatever died in between.
"""

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

_UNKNOWN_PAUSE = 0.2
_GIVE_UP_AFTER = 120.0
_TELLS = 160
Leads = Mapping[str, dict[str, Any]]
"""Bodies of leads, each under the key that it is sent with."""


@dataclass
class Ledger:
    """What was sent, and what was answered.

    Attributes:
        refused: the last word on leads that were answered 4xx, by key.
        doubtful: keys of which an attempt's fate stayed unknown: it may be stored after all.
        wrong: answers of the kind that nobody may give, by status.
        unknown: what the attempts were told whose fate stayed unknown.
        silent: attempts that were not answered at all.
        slowest: seconds that the slowest attempt took.
        stored_at: moments (monotonic) at which something was answered 2xx.
    """

    sent: set[str] = field(default_factory=set)
    receipts: dict[str, str] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    attempts: Counter[str] = field(default_factory=Counter)
    wrong: Counter[int] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    silent: int = 0
    slowest: float = 0.0
    stored_at: list[float] = field(default_factory=list)

    @property
    def open(self) -> set[str]:
        """The keys of the leads that were sent and whose fate is not known yet."""
        return self.sent - self.receipts.keys() - self.refused.keys()

    @property
    def may_be_stored(self) -> set[str]:
        """The keys of all leads but those that were refused at each attempt."""
        return self.sent - (self.refused.keys() - self.receipts.keys() - self.doubtful)

    @property
    def not_taken(self) -> int:
        """How many attempts were not answered 2xx."""
        return self.attempts.total() - self.attempts["ok"]

    @property
    def gap(self) -> float:
        """The longest time, in seconds, in which nothing was answered 2xx."""
        return max((b - a for a, b in itertools.pairwise(self.stored_at)), default=0.0)

    def stored_after(self, moment: float) -> float:
        """Return the seconds from a moment (monotonic) to the next answer of 2xx.

        Raises:
            StopIteration: there was none yet.
        """
        return next(at for at in self.stored_at if at >= moment) - moment

    async def send(self, client: httpx.AsyncClient, key: str, lead: dict[str, Any]) -> None:
        """Post a lead until its fate is known."""
        self.sent.add(key)
        end = time.monotonic() + _GIVE_UP_AFTER
        while (began := time.monotonic()) < end:
            outcome = await self._try(client, key, lead)
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.attempts[outcome] += 1
            if outcome != "unknown":
                return
            self.doubtful.add(key)
            await asyncio.sleep(random.uniform(0, _UNKNOWN_PAUSE))
        raise TimeoutError(f"{key}: no answer within {_GIVE_UP_AFTER:.0f} s")

    async def _try(self, client: httpx.AsyncClient, key: str, lead: dict[str, Any]) -> str:
        try:
            answer = await client.post("/v1/leads", json=lead, headers={"Idempotency-Key": key})
        except httpx.TransportError as error:
            self.silent += 1
            self.unknown[repr(error)] += 1
            return "unknown"
        if answer.status_code >= 500:
            if answer.status_code != 503 or "retry-after" not in answer.headers:
                self.wrong[answer.status_code] += 1
            self.unknown[answer.text[:_TELLS]] += 1
            return "unknown"
        if answer.is_success:
            self.receipts[key] = answer.json()["receipt_id"]
            self.stored_at.append(time.monotonic())
            return "ok"
        self.refused[key] = answer.status_code
        return "refused"


async def storm(
    client: httpx.AsyncClient,
    leads: Leads,
    *,
    at_once: int = 16,
    a_second: float = 200.0,
    ledger: Ledger | None = None,
) -> Ledger:
    """Send all leads, each under its key, some at once and not faster than told."""
    ledger = ledger or Ledger()
    free = asyncio.Semaphore(at_once)
    began = asyncio.get_running_loop().time()

    async def one(key: str, lead: dict[str, Any]) -> None:
        try:
            await ledger.send(client, key, lead)
        finally:
            free.release()

    async with asyncio.TaskGroup() as tasks:
        for number, (key, lead) in enumerate(leads.items()):
            late = began + number / a_second - asyncio.get_running_loop().time()
            await asyncio.sleep(max(0, late))
            await free.acquire()
            tasks.create_task(one(key, lead))
    return ledger


def some_leads(source_id: str, count: int, *, seed: int) -> Leads:
    """Return leads under their keys; a fifth are people who come a second time."""
    chance = random.Random(seed)
    leads: dict[str, dict[str, Any]] = {}
    for number in range(count):
        person = chance.randrange(number) if number and chance.random() < 0.2 else number
        key = f"key-{seed}-{number}"
        leads[key] = {
            "source_id": source_id,
            "email": f"person{person}.{seed}@company{person % 50}.com",
            "first_name": "Jo",
            "company": f"Company {person % 50}",
            "job_title": chance.choice(["VP Sales", "Intern", "Head of Marketing"]),
            "message": f"{key}: {chance.choice(['please show us a demo', 'hello'])}",
            "page_url": "https://www.example.com/pricing",
        }
    return leads


async def make_source(client: httpx.AsyncClient) -> str:
    """Make a source for a storm; return its id."""
    body = {"name": "Storm", "kind": "api", "channel": "advertising"}
    answer = await client.post("/v1/sources", json=body)
    answer.raise_for_status()
    return str(answer.json()["id"])
