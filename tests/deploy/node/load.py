"""What comes in while something is done to the installation: leads, and questions to every API."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
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
                tasks.create_task(_ask(load, client, service, over))
                if service == "marketing-intake":
                    tasks.create_task(_post(load, client, over))
        try:
            yield load
        finally:
            over.set()


async def _ask(load: Load, client: httpx.AsyncClient, service: str, over: asyncio.Event) -> None:
    while not over.is_set():
        await load.ask(client, service)
        await asyncio.sleep(_ASK_EVERY)


async def _post(load: Load, client: httpx.AsyncClient, over: asyncio.Event) -> None:
    source = await make_source(client)
    while not over.is_set():
        leads = some_leads(source, _A_SECOND, seed=hash((source, len(load.leads.sent))))
        await storm(client, leads, a_second=_A_SECOND, ledger=load.leads)
