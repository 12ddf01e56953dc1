"""The service as it runs: two processes and real Kafka, from scoring's event to the order."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.sales_pipeline.conftest import (
    SCOPES,
    deal_of,
    qualified,
)
from tests.stack.feeder import feeding
from tests.stack.keys import bearer, make_key
from tests.stack.process import Process
from tests.stack.services import environment, running, service
from tests.stack.topics import read_back
from tests.stack.waiting import until

from shared.contracts.catalogue import topic_of
from shared.contracts.deal import DealOpened
from shared.contracts.envelope import Envelope
from shared.contracts.event import Event
from shared.settings import KafkaSettings

ENOUGH = 40.0
DEALS = topic_of(DealOpened)


@dataclass(frozen=True)
class Place:
    """Where this module's pipeline runs."""

    database_url: str
    kafka: KafkaSettings
    log: Path

    def process(self, role: str) -> Process:
        """Return a process of the service, not started."""
        told = environment(self.database_url, self.kafka, f"test-{role}")
        return service(told, self.log, f"sales_pipeline.{role}")


@pytest.fixture(scope="module")
async def place(
    database_url: str,
    kafka_settings: KafkaSettings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Place:
    log = tmp_path_factory.mktemp("pipeline") / "log"
    return Place(database_url, kafka_settings, log)


@pytest.fixture(scope="module")
async def api(place: Place, engine: AsyncEngine) -> AsyncGenerator[httpx.AsyncClient]:
    """Speaks to a process that answers HTTP."""
    headers = bearer(await make_key(engine, *SCOPES))
    async with (
        running(place.process("api")) as door,
        httpx.AsyncClient(base_url=door.url, headers=headers, timeout=20) as speaker,
    ):
        yield speaker


async def publish(settings: KafkaSettings, events: Sequence[Event]) -> None:
    """Say events as lead-scoring does, each the first of its lead."""
    async with feeding(settings) as feeder:
        await feeder.say(*events)


async def said_on_kafka(settings: KafkaSettings, leads: Iterable[UUID]) -> list[Envelope]:
    """Return what hearers of deals can read about these leads, lead by lead and in order."""
    streams = await read_back(settings, [DEALS])
    return [envelope for lead in leads for envelope in streams[DEALS, lead].envelopes]


async def all_is_said(engine: AsyncEngine, leads: Collection[UUID], opened: int) -> bool:
    """Tell whether so many of these leads have an open deal and nothing waits in the outbox."""
    open_deals = text("SELECT count(*) FROM deal WHERE outcome IS NULL AND lead_id = ANY(:ids)")
    async with engine.connect() as connection:
        found = await connection.scalar(open_deals, {"ids": list(leads)})
        waiting = await connection.scalar(text("SELECT count(*) FROM outbox"))
        return (found, waiting) == (opened, 0)


async def story_of(engine: AsyncEngine, lead_id: UUID) -> set[str]:
    """Return the names of all steps that `handoff trace` finds in this database."""
    async with engine.connect() as connection:
        names = text("SELECT name FROM story WHERE subject = :id")
        return {row.name for row in await connection.execute(names, {"id": lead_id})}


async def until_said(engine: AsyncEngine, leads: Collection[UUID], *, opened: int) -> None:
    await until(lambda: all_is_said(engine, leads, opened), seconds=ENOUGH)


async def until_one_is_opened(engine: AsyncEngine, events: Sequence[Event]) -> None:
    values = {"ids": [event.subject for event in events]}
    opened = text("SELECT count(*) FROM deal WHERE lead_id = ANY(:ids)")
    async with asyncio.timeout(ENOUGH), engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        while not await connection.scalar(opened, values):
            await asyncio.sleep(0.001)


async def test_a_qualified_lead_becomes_an_order_and_everything_is_said(
    place: Place, engine: AsyncEngine, api: httpx.AsyncClient
) -> None:
    event = qualified()
    await publish(place.kafka, [event])
    async with running(place.process("worker")):
        await until_said(engine, [event.lead_id], opened=1)
        deal = await deal_of(api, event.lead_id)
        path = f"/v1/deals/{deal['id']}"
        await api.post(f"{path}/accept")
        await api.post(f"{path}/stage", json={"stage": "proposal"})
        won = await api.post(f"{path}/win", json={"amount_minor": 5, "currency": "EUR"})
        await until_said(engine, [event.lead_id], opened=0)

    heard = await said_on_kafka(place.kafka, {event.lead_id})
    assert won.json()["order_id"]
    assert [envelope.kind for envelope in heard] == [
        "deal.opened", "deal.accepted", "deal.stage_changed", "deal.won", "order.placed",
    ]  # fmt: skip
    assert [envelope.sequence for envelope in heard] == [1, 2, 3, 4, 5]
    assert {"deal.opened.v1", "order.placed.v1", "timeline.won"} <= await story_of(
        engine, event.lead_id
    )


async def test_a_worker_that_is_killed_in_its_work_opens_each_deal_once(
    place: Place, engine: AsyncEngine
) -> None:
    events = [qualified() for _ in range(300)]
    for part in (events[:100], events[100:200]):
        async with running(place.process("worker")) as worker:
            await publish(place.kafka, part)
            await until_one_is_opened(engine, part)
            await worker.die()
    async with running(place.process("worker")):
        await publish(place.kafka, events[200:])
        await until_said(engine, [event.lead_id for event in events], opened=300)

    heard = await said_on_kafka(place.kafka, {event.lead_id for event in events})
    assert {envelope.subject for envelope in heard} == {event.lead_id for event in events}
    assert len({envelope.event_id for envelope in heard}) == 300
    assert {(envelope.kind, envelope.sequence) for envelope in heard} == {("deal.opened", 1)}
