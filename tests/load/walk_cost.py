"""What a lead's whole walk costs the databases.

Counted, not timed: the statements that services send, and the pages that Postgres looks at for
them. The services run one after another, so that batches are alike at both sizes; what a loop asks
again and again while nothing comes is not counted.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg
from tests.stack.inside import Inside
from tests.stack.plans import Plans, Told, explain_all, listening
from tests.stack.running import Stack
from tests.stack.topics import drop
from tests.stack.waiting import until

from shared.contracts.catalogue import TOPICS, heard_by
from shared.kafka import topics

BATCH = 250
ROUNDS = 2
_TURNS = (
    "marketing_intake",
    "lead_scoring",
    "sales_pipeline",
    "notifier",
    "sales_pipeline",
    "lead_scoring",
)
_NOT_OF_LEADS = ("janitor", "orders", "replays")
_IDLE_SECONDS = 1.0
_PUBLISHER = {topic.name: topic.publisher.replace("-", "_") for topic in TOPICS}
_SAID = "SELECT coalesce(sum(last_sequence), 0) FROM said_stream WHERE topic = $1"
_HEARD = "SELECT coalesce(sum(last_sequence), 0) FROM stream WHERE topic = $1"
_LEFT = "SELECT count(*) FROM outbox"
_UNRESOLVED = "SELECT count(*) FROM submission WHERE state = 'received'"


@dataclass(frozen=True, slots=True)
class Cost:
    """What so many leads came to, statement by statement."""

    leads: int
    calls: Counter[str]
    pages: Counter[str]

    @property
    def statements_a_lead(self) -> float:
        return self.calls.total() / self.leads

    @property
    def pages_a_lead(self) -> float:
        return self.pages.total() / self.leads


@dataclass
class Walk:
    """The four services on databases with so many leads."""

    services: Mapping[str, Inside]
    plans: Plans
    idly: dict[str, Mapping[str, int]] = field(default_factory=dict[str, Mapping[str, int]])
    """The most rows that each statement of a worker's meets where there is nothing to do."""

    async def cost(self, leads: int) -> Cost:
        """Let leads come in and go the whole way."""
        told = [*await self._come_in(leads)]
        for package in _TURNS:
            told += await self._turn(package)
        told = [one for one in told if not one.is_of_postgres]
        calls = Counter(one.text for one in told if not one.is_check)
        pages = Counter[str]()
        for one in told:
            pages[one.text] += one.pages
        return Cost(leads, calls, pages)

    async def _come_in(self, leads: int) -> Sequence[Told]:
        """Post leads that qualify, each alone."""
        async with self.services["marketing_intake"].api() as intake:
            body = {"name": "Walk", "kind": "api", "channel": "content"}
            source = (await intake.post("/v1/sources", json=body)).json()
            self.plans.take()
            posts = [intake.post("/v1/leads", json=_somebody(source["id"])) for _ in range(leads)]
            answers = await asyncio.gather(*posts)
            await asyncio.sleep(0)
            assert {answer.status_code for answer in answers} == {202}
            return self.plans.take()

    async def _turn(self, package: str) -> Sequence[Told]:
        """Run a worker until it has done what there is; return what it did for it."""
        async with self.services[package].working(without=_NOT_OF_LEADS):
            await until(lambda: self._is_done(package))
            await asyncio.sleep(0)
            done = self.plans.take()
            if package not in self.idly:
                await asyncio.sleep(_IDLE_SECONDS)
                idle = sorted(self.plans.take(), key=lambda one: one.rows)
                self.idly[package] = {one.text: one.rows for one in idle}
        return [one for one in done if one.rows > self.idly[package].get(one.text, -1)]

    async def _is_done(self, package: str) -> bool:
        own = await _ask(self.services[package].url, _LEFT)
        if package == "marketing_intake":
            own += await _ask(self.services[package].url, _UNRESOLVED)
        for topic in heard_by(package.replace("_", "-")):
            own += await _ask(self.services[_PUBLISHER[topic]].url, _SAID, topic)
            own -= await _ask(self.services[package].url, _HEARD, topic)
        return own == 0


async def _ask(url: str, sql: str, *values: str) -> int:
    connection = await asyncpg.connect(url, ssl=False)
    try:
        return await connection.fetchval(sql, *values)
    finally:
        await connection.close()


def _somebody(source_id: str) -> dict[str, str]:
    name = secrets.token_hex(6)
    return {
        "source_id": source_id, "email": f"{name}@acme-industries.com", "first_name": "Jo",
        "last_name": "Miller", "company": "Acme Industries", "job_title": "VP Sales",
        "country": "US", "phone": f"+49301{secrets.randbelow(10**7):07d}",
        "message": "Please show us a demo", "page_url": "https://www.example.com/pricing",
    }  # fmt: skip


async def cost_in(urls: Mapping[str, str], stack: Stack) -> Cost:
    """Return the least that a round came to: what else is counted only adds to it."""
    kafka = stack.kafka(f"t{secrets.token_hex(4)}.")
    await topics.apply(kafka)
    await explain_all(stack, *urls.values())
    with listening() as plans:
        services = {package: Inside(package, url, kafka) for package, url in urls.items()}
        walk = Walk(services, plans)
        costs = [await walk.cost(BATCH) for _ in range(ROUNDS)]
    await drop(kafka)
    return min(costs, key=lambda cost: cost.pages.total())


def show(small: Cost, large: Cost) -> None:
    """Print each statement's pages for a lead, the dearest first."""
    for text, pages in large.pages.most_common():
        calls = f"{small.calls[text]}, {large.calls[text]} calls"
        of_lead = f"{small.pages[text] / small.leads:.2f} -> {pages / large.leads:.2f} pages"
        print(f"{of_lead}, {calls}: {' '.join(text.split())[:110]}")
