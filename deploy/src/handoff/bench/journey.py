"""Sends leads the whole way, from POST to the commit of their task, and counts those that arrive.

When a task was committed Postgres says, by its own clock, which is the client's: so that looking
whether all have arrived can be done seldom, and costs next to nothing of what is measured.
"""

import asyncio
import time
from dataclasses import dataclass

from asyncpg import Connection

from handoff.bench import postgres
from handoff.bench.client import BadAnswers
from handoff.bench.installation import Installation
from handoff.bench.open_loop import Sent, send_steadily
from handoff.bench.product import Product
from handoff.services import DATABASES

_TASK, _HEARD = "task", "lead whose task was heard"
_MANY = 64
_LOOK_EVERY = 0.25
_ARRIVED_WITHIN = 120.0


@dataclass(frozen=True, slots=True)
class Walk:
    """What a crowd of leads took for the whole way."""

    leads: int
    seconds: float
    statements: int


@dataclass(frozen=True, slots=True)
class Journey:
    """The way through all services."""

    installation: Installation
    product: Product

    async def crowd(self, leads: int) -> Walk:
        """Send leads as fast as they are taken, and wait until each has its task on its deal.

        The seconds end with the last task; the statements are all that it took.

        Raises:
            BadAnswers: some were not answered 2xx, or have no task after a long time.
        """
        counts = self.installation.counts_statements
        async with (
            self.installation.opened("notifier") as notifier,
            self.installation.opened("sales_pipeline") as pipeline,
            self.installation.opened() as administrator,
        ):
            had = await postgres.count(notifier, _TASK)
            heard = await postgres.count(pipeline, _HEARD)
            before = await postgres.counted(administrator, statements=counts)
            began = time.time()
            await self.product.load(at_once=_MANY, seconds=_ARRIVED_WITHIN, most=leads)
            await _until_all(notifier, _TASK, had + leads)
            await _until_all(pipeline, _HEARD, heard + leads)
            ended = await postgres.last_task(notifier)
            after = await postgres.counted(administrator, statements=counts)
        sent = (postgres.sent(before.calls, after.calls, name) for name in DATABASES)
        statements = sum(each.total() for each in sent)
        return Walk(leads, ended.timestamp() - began, statements)

    async def steadily(self, count: int, rate: float) -> tuple[Sent, list[float]]:
        """Send leads at a rate; return how long after its time each had its task, in seconds.

        Raises:
            BadAnswers: some were not answered 202, or have no task after a long time.
        """
        sent = await send_steadily(self.product.url, self.product.make, rate=rate, count=count)
        end = time.monotonic() + _ARRIVED_WITHIN
        while len(found := await self._arrived(sent)) < count:
            if time.monotonic() > end:
                raise BadAnswers(f"{count - len(found)} of {count} leads got no task")
            await asyncio.sleep(_LOOK_EVERY)
        return sent, found

    async def _arrived(self, sent: Sent) -> list[float]:
        await asyncio.sleep(_LOOK_EVERY)
        async with (
            self.installation.opened("marketing_intake") as intake,
            self.installation.opened("notifier") as notifier,
        ):
            leads = await postgres.leads_of(intake, list(sent.planned))
            tasks = await postgres.tasks_of(notifier, list(leads.values()))
        return [
            tasks[lead].timestamp() - sent.planned[receipt]
            for receipt, lead in leads.items()
            if lead in tasks
        ]


async def _until_all(database: Connection, what: str, wanted: int) -> None:
    end = time.monotonic() + _ARRIVED_WITHIN
    while (there := await postgres.count(database, what)) < wanted:
        if time.monotonic() > end:
            raise BadAnswers(f"of what was answered 2xx, {wanted - there} came to no {what}")
        await asyncio.sleep(_LOOK_EVERY)
    if there > wanted:
        raise BadAnswers(f"there are {there - wanted} more than were sent of: {what}")
