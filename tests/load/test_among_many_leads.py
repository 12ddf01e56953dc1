"""What a page of a list, and a lead's walk, cost where there is much.

Every list, every filter, first pages and deep.

Bounded by the pages that Postgres looks at, which no other load on the machine changes. In full
(`HANDOFF_FULL=1`: a million leads) also by the clock, over HTTP.
"""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest
from tests.faults.figures import Figure, is_full, sized
from tests.load.conftest import MANY
from tests.load.listing import Question, Values, questions
from tests.load.many_leads import DAYS, fill
from tests.load.walk_cost import cost_in, show
from tests.stack import databases
from tests.stack.fixtures import DatabaseFor
from tests.stack.inside import PACKAGES, Inside
from tests.stack.keys import bearer, make_key
from tests.stack.plans import Plans, Told, explain_all, explain_nothing, listening
from tests.stack.running import Stack
from tests.stack.services import NO_KAFKA, environment, running, service

from handoff.keys import SCOPES
from shared.clock import utc_now
from shared.messaging import narrowing

FEW = 10_000
MOST_TIMES = 1.3
PARKED = 2_000
PAGES = 500
PAGES_OF_PAIRS = sized(5_000, 25_000)
PAGES_OF_A_PARKED_EVENT = 20
# From the sixth time on that a statement is sent, whatever it asks for, Postgres may go by a plan
# that knows no values.
TIMES = 6
SECONDS, SECONDS_OF_FIRST_LISTS = 0.2, 0.05
FIRST_LISTS = ("/v1/leads?", "/v1/deals?", "/v1/tasks?")
OF_WHAT_IS_PARKED = ("/v1/parked?", "/v1/parked/causes?")
"""These count, so they look at all that is parked: the breaker sees to it that this is little."""

_MIDDLE = utc_now() - timedelta(days=DAYS / 2)
_LONG_AGO, _FAR_OFF = "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"
_PARK = """
INSERT INTO parked_event (topic, subject, sequence, event_id, type, reason, value, headers,
                          partition, "offset", error, parked_at)
SELECT 'handoff.leads.v1', made('lead', n * {leads} / {parked}, {leads}), 2 + behind,
       made('parked', n, {leads}), 'lead.updated.v1',
       CASE WHEN behind > 0 THEN 'behind' WHEN n % 100 = 0 THEN 'gap' ELSE 'poison' END,
       repeat('x', 300)::bytea, '{{}}', 0, n, 'KeyError: x', at(n * {leads} / {parked}, {leads})
FROM generate_series(1, {parked}) AS g (n), generate_series(0, 1) AS b (behind)
"""
_MARK = """
UPDATE subject SET parked_as = 'poison'
WHERE id IN (SELECT subject FROM parked_event WHERE reason = 'poison')
"""
_SOURCES = "SELECT id FROM source ORDER BY name"
_KNOWN = {
    "marketing_intake": {
        "email": "SELECT 'person777@example.com'",
        "phone": "SELECT unnest(ARRAY['+49777', '+4930000000'])",
        "source_id": f"({_SOURCES}) UNION SELECT gen_random_uuid()",
        "lead_id": "SELECT id FROM lead WHERE email = 'person777@example.com'",
    },
    "lead_scoring": {
        "min_score": "SELECT unnest(ARRAY[0, 50, 99, 100])",
        "grade": "SELECT unnest(ARRAY['A1', 'B2', 'C1'])",
    },
    "sales_pipeline": {
        "lead_id": "SELECT lead_id FROM sales_order ORDER BY id LIMIT 1",
        "deal_id": "SELECT deal_id FROM sales_order ORDER BY id LIMIT 1",
        "customer_id": "SELECT customer_id FROM sales_order ORDER BY id LIMIT 1",
        "owner_id": "SELECT id FROM rep",
    },
    "notifier": {
        "lead_id": "SELECT lead_id FROM task ORDER BY id LIMIT 1",
        "deal_id": "SELECT deal_id FROM task ORDER BY id LIMIT 1",
        "owner_id": "SELECT id FROM rep",
    },
}
_ALL_KNOW = {"subject": "SELECT min(subject::text) FROM parked_event"}
_MOMENTS = {
    "updated_since": [_LONG_AGO, _MIDDLE.isoformat()],
    "due_before": [_LONG_AGO, _FAR_OFF],
}
_OF_A_TIED_KEY = ("/v1/leads", "/v1/submissions", "/v1/sources")


@dataclass(frozen=True, slots=True)
class Full:
    """Four databases full of leads, and what may be asked of them."""

    urls: Mapping[str, str]
    known: Mapping[str, Values]


@dataclass(frozen=True, slots=True)
class Lists:
    """The APIs, and what Postgres tells of their work."""

    full: Full
    plans: Plans
    clients: Mapping[str, httpx.AsyncClient]
    sent: Counter[tuple[httpx.AsyncClient, str]] = field(default_factory=Counter)
    """How often each API sent each statement."""

    async def costs(self, package: str, *, filters: int) -> dict[str, int]:
        """Return how many pages each question with so many filters takes at most."""
        client, costs = self.clients[package], dict[str, int]()
        for question in questions(package, self.full.known[package], at_once=filters):
            costs |= await self.cost(client, question)
        return costs

    async def cost(self, client: httpx.AsyncClient, question: Question) -> dict[str, int]:
        """Return it of the first page, and of one in the middle if there are more."""
        following, pages = await self._ask(client, question)
        costs = {str(question): pages}
        if following:
            deep = question.deep(following, _MIDDLE)
            _, costs[str(deep)] = await self._ask(client, deep)
        return costs

    async def _ask(self, client: httpx.AsyncClient, question: Question) -> tuple[str | None, int]:
        """Ask for a page; return the cursor of the next one, and the pages that it took at most.

        It is asked for at least once, and until each of its statements was sent often enough.
        """
        most, fewest, following = 0, 0, None
        while fewest < TIMES:
            self.plans.take()
            following = await ask(client, question)
            await asyncio.sleep(0)
            told = [one for one in self.plans.take() if one.tables != {"api_key"}]
            assert told, "Postgres told nothing of its plans"
            most = max(most, _judged(told))
            self.sent.update((client, text) for text in {one.text for one in told})
            fewest = min(self.sent[client, one.text] for one in told)
        return following, most


async def ask(client: httpx.AsyncClient, question: Question) -> str | None:
    """Ask for a page; return the cursor of the next one."""
    answer = await client.get(question.path, params=question.query)
    assert answer.status_code == 200, (question, answer.text)
    found = answer.json()
    return (found if "next" in found else found["events"])["next"]


def _judged(told: Iterable[Told]) -> int:
    """Return how many pages were looked at; a table that is read whole is more than any number."""
    for one in told:
        for table in one.walked():
            print(f"reads all of {table}: {' '.join(one.text.split())[:200]}")
    return sum(one.pages + (10**9 if one.walked() else 0) for one in told)


@pytest.fixture(scope="module")
async def full(many: Mapping[str, str]) -> Full:
    return Full(many, {package: await _prepare(url, package) for package, url in many.items()})


@pytest.fixture(scope="module")
async def lists(stack: Stack, full: Full) -> AsyncGenerator[Lists]:
    await explain_all(stack, *full.urls.values())
    with listening() as plans:
        async with AsyncExitStack() as entered:
            clients = {
                package: await entered.enter_async_context(Inside(package, url, NO_KAFKA).api())
                for package, url in full.urls.items()
            }
            yield Lists(full, plans, clients)


async def _prepare(url: str, package: str) -> Values:
    """Park a few leads, and look up what may be asked for."""
    connection = await asyncpg.connect(url, ssl=False, command_timeout=600)
    try:
        await connection.execute(_PARK.format(leads=MANY, parked=PARKED))
        await connection.execute(_MARK)
        await connection.execute("VACUUM (ANALYZE)")
        asked = _KNOWN[package] | _ALL_KNOW
        found = {name: await connection.fetch(sql) for name, sql in asked.items()}
        return {name: [str(row[0]) for row in rows] for name, rows in found.items()} | _MOMENTS
    finally:
        await connection.close()


def _dear(costs: Mapping[str, int], most: int) -> dict[str, int]:
    """Print what each question costs, and return those that cost too much."""
    for question, cost in sorted(costs.items(), key=lambda pair: pair[1]):
        print(f"{cost} pages: {question}")
    return {question: cost for question, cost in costs.items() if cost > most}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("package", PACKAGES)
async def test_a_page_of_any_list_is_found_in_few_pages_of_the_database(
    lists: Lists, package: str, figure: Figure
) -> None:
    costs = await lists.costs(package, filters=0) | await lists.costs(package, filters=1)
    parked = {of: cost for of, cost in costs.items() if of.startswith(OF_WHAT_IS_PARKED)}
    others = {of: cost for of, cost in costs.items() if of not in parked}
    name = package.replace("_", "-")
    figure(f"lists of {name}: most pages of the database", max(others.values()), goal=f"<= {PAGES}")

    assert _dear(others, PAGES) == {}
    assert _dear(parked, 2 * PARKED * PAGES_OF_A_PARKED_EVENT) == {}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("package", PACKAGES)
async def test_two_filters_at_once_are_no_walk_through_everything(
    lists: Lists, package: str, figure: Figure
) -> None:
    costs = await lists.costs(package, filters=2)
    name = package.replace("_", "-")
    most = max(costs.values())
    figure(f"lists of {name}, two filters: most pages", most, goal="<= 5000, in full 25000")

    assert _dear(costs, PAGES_OF_PAIRS) == {}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("place", [0, 2], ids=["brought much", "brought little"])
async def test_a_source_sees_what_it_brought_in_few_pages_of_the_database(
    lists: Lists, place: int
) -> None:
    package = "marketing_intake"
    source_id = sorted(await _sources(lists.full.urls[package]))[place][1]
    costs: dict[str, int] = {}
    async with Inside(package, lists.full.urls[package], NO_KAFKA).api(source_id=source_id) as tied:
        for path in _OF_A_TIED_KEY:
            costs |= await lists.cost(tied, Question(package, path))

    assert _dear(costs, PAGES) == {}


async def _sources(url: str) -> Sequence[tuple[str, str]]:
    connection = await asyncpg.connect(url, ssl=False)
    try:
        return [(row["name"], str(row["id"])) for row in await connection.fetch("TABLE source")]
    finally:
        await connection.close()


@pytest.mark.skipif(not is_full(), reason="a clock, for a quiet machine: HANDOFF_FULL=1")
@pytest.mark.timeout(1800)
async def test_lists_answer_at_once(
    stack: Stack, full: Full, tmp_path: Path, figure: Figure
) -> None:
    await explain_nothing(stack, *full.urls.values())
    p95: dict[str, float] = {}
    for package in PACKAGES:
        p95 |= await _timed(full, package, tmp_path)
    await explain_all(stack, *full.urls.values())
    for question, seconds in sorted(p95.items(), key=lambda pair: pair[1]):
        print(f"{seconds * 1000:.1f} ms: {question}")
    first = max(seconds for question, seconds in p95.items() if question in FIRST_LISTS)
    figure("lists: slowest p95 over HTTP, ms", max(p95.values()) * 1000, goal="< 200 in full")
    figure("first lists of leads, deals, tasks: p95, ms", first * 1000, goal="< 50 in full")

    assert first < SECONDS_OF_FIRST_LISTS
    assert max(p95.values()) < SECONDS


async def _timed(full: Full, package: str, logs: Path) -> dict[str, float]:
    """Return the p95 of each question with one filter or none, of a process of its own."""
    url = full.urls[package]
    async with databases.opened(url) as engine:
        headers = bearer(await make_key(engine, *SCOPES[package.replace("_", "-")]))
    api = service(environment(url, NO_KAFKA, f"{package}-lists"), logs / package, f"{package}.api")
    p95: dict[str, float] = {}
    async with running(api), httpx.AsyncClient(base_url=api.url, headers=headers) as client:
        for filters in (0, 1):
            for question in questions(package, full.known[package], at_once=filters):
                following, p95[str(question)] = await _time(client, question)
                if following:
                    deep = question.deep(following, _MIDDLE)
                    _, p95[str(deep)] = await _time(client, deep)
    return p95


async def _time(client: httpx.AsyncClient, question: Question) -> tuple[str | None, float]:
    took: list[float] = []
    following = None
    for _ in range(60):
        began = time.perf_counter()
        following = await ask(client, question)
        took.append(time.perf_counter() - began)
    return following, statistics.quantiles(took, n=20)[-1]


@pytest.fixture
async def few(database_for: DatabaseFor) -> Mapping[str, str]:
    urls = {package: await database_for(package) for package in PACKAGES}
    await fill({package.replace("_", "-"): url for package, url in urls.items()}, FEW)
    return urls


@pytest.mark.timeout(1800)
async def test_a_lead_costs_as_much_among_many_as_among_few(
    stack: Stack,
    few: Mapping[str, str],
    many: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    figure: Figure,
) -> None:
    monkeypatch.setattr(narrowing, "_CAUTIOUS_SECONDS", 0.0)
    small, large = await cost_in(few, stack), await cost_in(many, stack)
    show(small, large)
    pages = large.pages_a_lead / small.pages_a_lead
    statements = large.statements_a_lead / small.statements_a_lead
    of = "a lead's walk:"
    figure(f"{of} leads that are there", f"{MANY:,}", goal="200,000, in full 1,000,000")
    figure(f"{of} pages of the databases", large.pages_a_lead, goal="printed")
    figure(f"{of} pages, against among 10,000, times", pages, goal=f"<= {MOST_TIMES}")
    figure(f"{of} statements, against among 10,000, times", statements, goal=f"<= {MOST_TIMES}")

    assert pages <= MOST_TIMES
    assert statements <= MOST_TIMES
