"""The service as it runs: its two processes, and what comes out on Kafka."""

from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.marketing_intake.conftest import SCOPES, WAIT
from tests.stack.keys import bearer, make_key
from tests.stack.services import environment, running, service

from shared.contracts import catalogue
from shared.contracts.envelope import from_record
from shared.contracts.lead import LeadCaptured, LeadErased, LeadUpdated
from shared.kafka import topics
from shared.settings import KafkaSettings

LEADS = catalogue.topic_of(LeadCaptured)


async def records(settings: KafkaSettings, count: int) -> list[Any]:
    """Return the first records of the leads' topic."""
    consumer = AIOKafkaConsumer(
        topics.physical(settings, LEADS),
        bootstrap_servers=settings.kafka_bootstrap,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        return [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()


async def test_what_becomes_of_a_lead_is_said_in_order_and_its_story_can_be_told(
    database_url: str, engine: AsyncEngine, kafka_settings: KafkaSettings, tmp_path: Path
) -> None:
    headers = bearer(await make_key(engine, *SCOPES))
    door, worker = [
        service(
            environment(database_url, kafka_settings, role),
            tmp_path / role,
            f"marketing_intake.{role}",
        )
        for role in ("api", "worker")
    ]
    async with (
        running(door),
        running(worker),
        httpx.AsyncClient(base_url=door.url, headers=headers) as http,
    ):
        wanted = {"name": "Site", "kind": "api", "channel": "seo"}
        source = (await http.post("/v1/sources", json=wanted)).json()
        lead = {"source_id": source["id"], "email": "anna@kafka.example.com"}
        created = (await http.post("/v1/leads", json=lead, headers=WAIT)).json()
        await http.post("/v1/leads", json=lead | {"company": "ACME"}, headers=WAIT)
        await records(kafka_settings, 2)  # what waits while a person is erased goes out blank
        await http.delete(f"/v1/leads/{created['lead_id']}")
        found = await records(kafka_settings, 3)

    envelopes = [from_record(topic=LEADS, value=each.value, headers=each.headers) for each in found]
    events = [catalogue.read(envelope) for envelope in envelopes]
    assert [type(event) for event in events] == [LeadCaptured, LeadUpdated, LeadErased]
    assert [envelope.sequence for envelope in envelopes] == [1, 2, 3]
    assert str(envelopes[0].correlation_id) == created["receipt_id"]
    assert await story(engine, created["lead_id"]) == [
        ("submission", "received"),
        ("submission", "created"),
        ("said", "lead.captured.v1"),
        ("submission", "received"),
        ("submission", "updated"),
        ("said", "lead.updated.v1"),
        ("said", "lead.erased.v1"),
        ("erased", "tombstone"),
    ]


async def story(engine: AsyncEngine, lead_id: str) -> list[tuple[str, str]]:
    sql = "SELECT kind, name FROM story WHERE subject = CAST(:id AS uuid) ORDER BY at, sequence"
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(sql), {"id": lead_id})]
