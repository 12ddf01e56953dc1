"""The service as it runs: two processes and real Kafka, from scoring's event to the order."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
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
    make_key,
    qualified,
)
from tests.stack.fixtures import DatabaseFor
from tests.stack.process import Process
from tests.stack.services import environment, running, service

from shared import limits
from shared.clock import utc_now
from shared.contracts.catalogue import PARTITIONS, topic_of
from shared.contracts.deal import DealOpened
from shared.contracts.envelope import Envelope, from_record
from shared.contracts.event import Event
from shared.database.engine import open_engine
from shared.ids import new_id
from shared.kafka import client, topics
from shared.kafka.port import Partition
from shared.settings import DatabaseSettings, KafkaSettings

ENOUGH = 40.0


@dataclass(frozen=True)
class Place:
    """Where this module's pipeline runs."""

    database_url: str
    kafka: KafkaSettings
    log: Path

    def process(self, role: str) -> Process:
        """Return a process of the service, not started."""
        told = environment(self.database_url, self.kafka, f"test-{role}")
        return service(told, self.log, "sales_pipeline", role)


@pytest.fixture(scope="module")
async def place(
    database_for: DatabaseFor,
    kafka_settings: KafkaSettings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Place:
    log = tmp_path_factory.mktemp("pipeline") / "log"
    return Place(await database_for("sales_pipeline"), kafka_settings, log)


@pytest.fixture(scope="module")
async def engine(place: Place) -> AsyncGenerator[AsyncEngine]:
    engine = open_engine(DatabaseSettings(database_url=place.database_url), limits.WORKER)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="module")
async def api(place: Place, engine: AsyncEngine) -> AsyncGenerator[httpx.AsyncClient]:
    """Speaks to a process that answers HTTP."""
    headers = {"Authorization": f"Bearer {await make_key(engine, SCOPES)}"}
    async with (
        running(place.process("api")) as door,
        httpx.AsyncClient(base_url=door.url, headers=headers, timeout=20) as speaker,
    ):
        yield speaker


async def publish(settings: KafkaSettings, events: Sequence[Event]) -> None:
    """Say events as lead-scoring does, each the first of its lead."""
    sender = client.producer(settings)
    await sender.start()
    for event in events:
        envelope = Envelope(
            event_id=new_id(), topic=topic_of(type(event)), subject=event.subject, sequence=1,
            kind=event.kind, version=1, said_at=utc_now(), source="lead-scoring",
            correlation_id=new_id(), causation_id=None, traceparent=None, data=event.to_wire(),
        )  # fmt: skip
        await sender.send(
            topics.physical(settings, envelope.topic), envelope.data,
            key=str(event.subject).encode(), headers=envelope.headers(),
        )  # fmt: skip
    await client.stop(sender)


async def said_on_kafka(settings: KafkaSettings, subjects: set[UUID]) -> list[Envelope]:
    """Return what hearers of deals can read about these leads, in the order of each lead."""
    topic = topics.physical(settings, topic_of(DealOpened))
    partitions = [Partition(topic, n) for n in range(PARTITIONS)]
    reader = client.reader(settings)
    await reader.start()
    reader.assign(partitions)
    left = sum((await reader.end_offsets(partitions)).values())
    found: list[Envelope] = []
    while left > 0:
        for records in (await reader.getmany(timeout_ms=500)).values():
            left -= len(records)
            found += [
                from_record(topic=topic, value=each.value, headers=each.headers) for each in records
            ]
    await client.stop(reader)
    return [envelope for envelope in found if envelope.subject in subjects]


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
    async with asyncio.timeout(ENOUGH):
        while not await all_is_said(engine, leads, opened):
            await asyncio.sleep(0.05)


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
