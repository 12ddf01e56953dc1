"""What comes in while something is done to the installation: leads, and questions to every API."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import httpx
from tests.deploy.node.installed import Installed
from tests.faults.ledger import Ledger, make_source, some_leads, storm

ASKED = {
    "marketing-intake": "/v1/sources",
    "lead-scoring": "/v1/scorecards",
    "sales-pipeline": "/v1/deals",
    "notifier": "/v1/tasks",
}
_A_SECOND = 15
_ASK_EVERY = 0.1


@dataclass
class Load:
    """What was asked, and how it went.

    Attributes:
        leads: those that were posted, and what became of each attempt.
        answered: questions that were answered well, by service.
        failed: what was answered otherwise, or not at all.
    """

    leads: Ledger = field(default_factory=Ledger)
    answered: Counter[str] = field(default_factory=Counter[str])
    failed: Counter[str] = field(default_factory=Counter[str])

    def all_failures(self) -> dict[str, int]:
        """Return what went wrong, and how often."""
        refused = Counter(f"lead refused with {status}" for status in self.leads.refused.values())
        return dict(self.failed + self.leads.unknown + refused)

    async def ask(self, client: httpx.AsyncClient, service: str) -> None:
        """Ask one question."""
        try:
            answer = await client.get(ASKED[service])
        except httpx.TransportError as error:
            self.failed[f"{service}: {error!r}"] += 1
            return
        if answer.is_success:
            self.answered[service] += 1
        else:
            self.failed[f"{service}: {answer.status_code} {answer.text[:160]}"] += 1


@asynccontextmanager
async def under_load(installed: Installed) -> AsyncGenerator[Load]:
    """Let requests come in, on connections that are kept and on new ones, until the block is over.

    Who keeps a connection stays with its process; who comes anew meets any of them.
    """
    load, over = Load(), asyncio.Event()
    async with AsyncExitStack() as opened, asyncio.TaskGroup() as tasks:
        for how in ("keep-alive", "close"):
            for service in ASKED:
                client = installed.client(service, Connection=how)
                await opened.enter_async_context(client)
                tasks.create_task(_until(over, _asking(load, client, service)))
            poster = await opened.enter_async_context(
                installed.client("marketing-intake", Connection=how)
            )
            tasks.create_task(_until(over, await _posting(load, poster, how)))
        try:
            yield load
        finally:
            over.set()


async def _until(over: asyncio.Event, go_on: Callable[[], Awaitable[object]]) -> None:
    while not over.is_set():
        await go_on()


def _asking(load: Load, client: httpx.AsyncClient, service: str) -> Callable[[], Awaitable[None]]:
    async def ask() -> None:
        await load.ask(client, service)
        await asyncio.sleep(_ASK_EVERY)

    return ask


async def _posting(
    load: Load, client: httpx.AsyncClient, how: str
) -> Callable[[], Awaitable[Ledger]]:
    source = await make_source(client)

    async def post() -> Ledger:
        leads = some_leads(source, _A_SECOND, seed=hash((how, len(load.leads.sent), source)))
        return await storm(client, leads, a_second=_A_SECOND, ledger=load.leads)

    return post
