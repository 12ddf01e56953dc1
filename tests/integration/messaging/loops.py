"""A relay and a consumer as a worker runs them, and what is said to them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.conftest import Tally, captured

from shared.ids import new_id
from shared.messaging import outbox, subjects
from shared.messaging.consumer import Consumer
from shared.messaging.lease import Lease
from shared.messaging.relay import Relay
from shared.settings import KafkaSettings
from shared.telemetry.heartbeat import Heartbeats


@asynccontextmanager
async def running(*loops: Relay | Consumer) -> AsyncGenerator[None]:
    """Run loops during a block."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(loop.run(stop)) for loop in loops]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def say(engine: AsyncEngine, lead_id: UUID, *companies: str) -> None:
    async with engine.begin() as connection:
        await subjects.lock(connection, [lead_id])
        events = [captured(lead_id, company) for company in companies]
        await outbox.say(connection, events, outbox.Cause(correlation_id=new_id()))


async def nothing_waits(engine: AsyncEngine) -> bool:
    """Tell whether all that was said is sent and archived."""
    async with engine.connect() as connection:
        return not await connection.scalar(text("SELECT count(*) FROM outbox"))


def a_relay(engine: AsyncEngine, settings: KafkaSettings, owner: str = "one") -> Relay:
    beat = Heartbeats().loop("relay")
    lease = Lease(engine, name="relay", owner=owner)
    return Relay(engine, settings, "marketing-intake", lease, beat)


def a_consumer(engine: AsyncEngine, settings: KafkaSettings, hearer: Tally) -> Consumer:
    return Consumer(
        engine=engine, settings=settings, service="tally", version="1",
        topics=("handoff.leads.v1",), hearer=hearer, heartbeat=Heartbeats().loop("consume"),
    )  # fmt: skip
