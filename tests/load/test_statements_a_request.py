"""How many statements a request takes, on the routes that are asked most: by Postgres' own count.

A bound that is passed is either a query in a loop or a choice; a choice is written down here.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import httpx
import pytest

from handoff.bench import postgres
from handoff.bench.installation import Installation
from handoff.bench.journey import Journey
from handoff.bench.product import add_reps, make_key, open_product
from handoff.door import open_client
from handoff.keys import SCOPES
from handoff.services import ROLES, SERVICES

LEADS = 60
REQUESTS = 20

pytestmark = pytest.mark.timeout(300)


@dataclass
class Asked:
    """The services' APIs alone, on databases in which some leads have come the whole way."""

    installation: Installation
    clients: dict[str, httpx.AsyncClient]

    async def statements(self, service: str, method: str, path: str, **body: object) -> int:
        """Return how many statements one such request takes; what it takes once does not count."""
        client = self.clients[service]
        told = {"json": body} if body else {}
        async with self.installation.opened() as administrator:
            assert (await client.request(method, path, **told)).is_success
            before = await postgres.calls(administrator)
            for _ in range(REQUESTS):
                answer = await client.request(method, path, **told)
                assert answer.is_success, answer.text
            after = await postgres.calls(administrator)
        sent = postgres.sent(before, after, service.replace("-", "_"))
        return sum(round(calls / REQUESTS) for calls in sent.values())

    async def one(self, service: str, path: str) -> dict[str, str]:
        """Return the first item of a list."""
        return (await self.clients[service].get(path)).json()["items"][0]


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
    ("marketing-intake", "/v1/submissions", 1),
    ("marketing-intake", "/v1/leads", 1),
    ("marketing-intake", "/v1/sources", 1),
    ("lead-scoring", "/v1/scores", 1),
    ("sales-pipeline", "/v1/deals", 1),
    ("sales-pipeline", "/v1/reps", 1),
    ("notifier", "/v1/tasks", 1),
]


@pytest.mark.parametrize(("service", "path", "most"), LISTS, ids=[each[1] for each in LISTS])
async def test_a_page_of_a_list_takes_one_statement(
    asked: Asked, service: str, path: str, most: int
) -> None:
    assert await asked.statements(service, "GET", f"{path}?limit=50") <= most


@pytest.mark.parametrize(("service", "path", "most"), LISTS, ids=[each[1] for each in LISTS])
async def test_a_longer_page_takes_no_more_statements(
    asked: Asked, service: str, path: str, most: int
) -> None:
    del most
    short = await asked.statements(service, "GET", f"{path}?limit=2")

    assert await asked.statements(service, "GET", f"{path}?limit=50") <= short


async def test_a_lead_that_is_posted_takes_one_statement(asked: Asked) -> None:
    source = await asked.one("marketing-intake", "/v1/sources")
    body = {"source_id": source["id"], "email": "ada@example.com", "first_name": "Ada"}

    assert await asked.statements("marketing-intake", "POST", "/v1/leads", **body) == 1
