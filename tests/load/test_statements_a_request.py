"""How many statements a request takes, on the routes that are asked most: by Postgres' own count.

What is beyond its bound is a query in a loop, or a choice, which is then written down here. The
bounds are of round trips: a transaction's BEGIN, and its COMMIT or ROLLBACK, are two of them.
"""

import itertools
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass

import httpx
import pytest
from tests.faults.figures import Figure

from handoff.bench import postgres
from handoff.bench.installation import Installation
from handoff.bench.journey import Journey
from handoff.bench.product import add_reps, make_key, open_product
from handoff.door import open_client
from handoff.keys import SCOPES
from handoff.services import ROLES, SERVICES

LEADS = 60
REQUESTS = 20
READ = 3
"""A transaction of one statement."""

pytestmark = pytest.mark.timeout(300)


@dataclass
class Asked:
    """The services' APIs alone, on databases in which some leads have come the whole way."""

    installation: Installation
    clients: dict[str, httpx.AsyncClient]

    async def get(self, service: str, path: str) -> int:
        """Return how many statements it takes to ask for this."""
        return await self._statements(service, "GET", itertools.repeat(path))

    async def post(self, service: str, paths: Iterable[str], **body: object) -> int:
        """Return how many statements it takes to post to each of these."""
        return await self._statements(service, "POST", paths, **body)

    async def ids(self, service: str, path: str) -> list[str]:
        """Return the ids of as many as one list has."""
        answer = await self.clients[service].get(path, params={"limit": LEADS})
        return [each.get("id") or each["lead_id"] for each in answer.json()["items"]]

    async def _statements(
        self, service: str, method: str, paths: Iterable[str], **body: object
    ) -> int:
        """Let the first go ahead, for what it takes only once."""
        client, told = self.clients[service], {"json": body} if body else {}
        first, *others = itertools.islice(paths, REQUESTS + 1)
        async with self.installation.opened() as administrator:
            assert (await client.request(method, first, **told)).is_success
            before = await postgres.calls(administrator)
            for path in others:
                answer = await client.request(method, path, **told)
                assert answer.is_success, answer.text
            after = await postgres.calls(administrator)
        assert len(others) == REQUESTS
        sent = postgres.sent(before, after, service.replace("-", "_"))
        return sum(round(calls / REQUESTS) for calls in sent.values())


@pytest.fixture(scope="module")
async def asked(installation: Installation) -> AsyncGenerator[Asked]:
    if not installation.counts_statements:
        pytest.skip("this Postgres has no pg_stat_statements")
    async with installation.having(*installation.specs(*ROLES)):
        await add_reps(installation)
        await Journey(installation, await open_product(installation)).crowd(LEADS)
    async with installation.having(*installation.specs("api")):
        site = installation.site
        clients = {
            each.name: open_client(
                site.api(each.name), await make_key(site, each.name, *SCOPES[each.name])
            )
            for each in SERVICES
        }
        yield Asked(installation, clients)
        for client in clients.values():
            await client.aclose()


LISTS = [
    ("marketing-intake", "/v1/submissions"),
    ("marketing-intake", "/v1/leads"),
    ("marketing-intake", "/v1/sources"),
    ("lead-scoring", "/v1/scores"),
    ("sales-pipeline", "/v1/deals"),
    ("sales-pipeline", "/v1/reps"),
    ("notifier", "/v1/tasks"),
]
# A lead is found by any of its names, and shown with all that is known of it.
SHOWN = [
    ("marketing-intake", "/v1/submissions", "", READ),
    ("marketing-intake", "/v1/leads", "", READ + 5),
    ("lead-scoring", "/v1/scores", "", READ + 1),
    ("sales-pipeline", "/v1/deals", "", READ),
    ("sales-pipeline", "/v1/deals", "/timeline", READ + 1),
    ("notifier", "/v1/tasks", "", READ),
]
DONE = [
    ("sales-pipeline", "/v1/deals", "accept", 14),
    ("notifier", "/v1/tasks", "complete", 11),
]


@pytest.mark.parametrize(("service", "path"), LISTS, ids=[each[1] for each in LISTS])
async def test_a_page_takes_one_statement_however_long_it_is(
    asked: Asked, service: str, path: str
) -> None:
    for limit in (2, 50):
        assert await asked.get(service, f"{path}?limit={limit}") <= READ


@pytest.mark.parametrize(
    ("service", "path", "part", "most"),
    SHOWN,
    ids=[f"{path}/ID{part}" for _, path, part, _ in SHOWN],
)
async def test_one_of_them_is_shown_by_a_statement_a_table(
    asked: Asked, service: str, path: str, part: str, most: int
) -> None:
    one = (await asked.ids(service, path))[0]

    assert await asked.get(service, f"{path}/{one}{part}") <= most


@pytest.mark.parametrize(
    ("service", "path", "verb", "most"),
    DONE,
    ids=[f"{path}/ID/{verb}" for _, path, verb, _ in DONE],
)
async def test_what_a_person_does_takes_a_bounded_number(
    asked: Asked, figure: Figure, service: str, path: str, verb: str, most: int
) -> None:
    ids: Sequence[str] = await asked.ids(service, path)
    taken = await asked.post(service, [f"{path}/{each}/{verb}" for each in ids])
    figure(f"statements of a request, POST {path}/ID/{verb}", taken, goal=f"≤ {most}")

    assert taken <= most


async def test_a_lead_that_is_posted_takes_one_statement(asked: Asked) -> None:
    (source, *_) = await asked.ids("marketing-intake", "/v1/sources")
    body = {"source_id": source, "email": "ada@example.com", "first_name": "Ada"}

    assert await asked.post("marketing-intake", itertools.repeat("/v1/leads"), **body) == 1
