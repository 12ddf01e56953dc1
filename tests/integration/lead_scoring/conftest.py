"""Scoring as a whole on real Postgres and Kafka: its worker runs, its API answers."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_scoring import bootstrap
from lead_scoring.adapters.desks import Desks
from lead_scoring.config import Settings
from lead_scoring.entrypoints.api import build_api
from lead_scoring.entrypoints.context import Context
from lead_scoring.entrypoints.worker import ScoringHearer
from lead_scoring.usecases.desk import Desk
from shared import limits
from shared.clock import utc_now
from shared.contracts.catalogue import TOPICS, topic_of
from shared.contracts.envelope import Envelope
from shared.contracts.event import Event
from shared.contracts.lead import (
    LeadCaptured,
    LeadCard,
    LeadUpdated,
    Touchpoint,
    TouchpointRecorded,
)
from shared.database.engine import open_engine
from shared.ids import new_id
from shared.kafka import topics
from shared.messaging import loops
from shared.messaging.batch import Batch
from shared.messaging.records import Delivery
from shared.settings import KafkaSettings
from shared.telemetry.heartbeat import Heartbeats
from shared.web.keys import Keyring, new_key

WITHIN = 20.0
_HEARD = text("""
    SELECT count(*) FROM unnest(CAST(:topics AS text[]), CAST(:subjects AS uuid[]),
                                CAST(:sequences AS bigint[])) AS w (topic, subject, sequence)
    JOIN stream s ON s.topic = w.topic AND s.subject = w.subject AND s.last_sequence >= w.sequence
""")
_SAID = text("""
    SELECT type, convert_from(payload, 'UTF8')::jsonb AS data FROM (
        SELECT id, type, subject, payload FROM outbox
        UNION SELECT id, type, subject, payload FROM outbox_archive
    ) o WHERE subject = :lead ORDER BY id
""")


@dataclass
class World:
    """The services around scoring: they speak on Kafka, and look at what it then says."""

    engine: AsyncEngine
    kafka: KafkaSettings
    producer: AIOKafkaProducer
    sequences: Counter[tuple[str, UUID]] = field(default_factory=Counter)

    async def say(self, *events: Event) -> list[Envelope]:
        """Publish events as their service would, and wait until they were heard."""
        envelopes = [self.envelope(event) for event in events]
        await self.publish(*envelopes)
        await self.heard()
        return envelopes

    def envelope(self, event: Event) -> Envelope:
        """Put the next event of a stream into its envelope."""
        stream = (topic_of(type(event)), event.subject)
        self.sequences[stream] += 1
        return Envelope(
            event_id=new_id(),
            topic=stream[0],
            subject=event.subject,
            sequence=self.sequences[stream],
            kind=event.kind,
            version=event.version,
            said_at=utc_now(),
            source="a test",
            correlation_id=new_id(),
            causation_id=None,
            traceparent=None,
            data=event.to_wire(),
        )

    async def publish(self, *envelopes: Envelope) -> None:
        """Send records to Kafka."""
        for envelope in envelopes:
            await self.producer.send_and_wait(
                topics.physical(self.kafka, envelope.topic),
                envelope.data,
                key=str(envelope.subject).encode(),
                headers=envelope.headers(),
            )

    async def heard(self) -> None:
        """Wait until all that was published had its effect."""
        wanted = {
            "topics": [topic for topic, _ in self.sequences],
            "subjects": [subject for _, subject in self.sequences],
            "sequences": list(self.sequences.values()),
        }
        async with asyncio.timeout(WITHIN):
            while await self._count(wanted) < len(self.sequences):
                await asyncio.sleep(0.05)

    async def said(self, lead_id: UUID) -> list[tuple[str, dict[str, Any]]]:
        """Return what scoring said of a lead: wire types and data, in order."""
        async with self.engine.connect() as connection:
            rows = await connection.execute(_SAID, {"lead": lead_id})
            return [(row.type, row.data) for row in rows]

    async def kinds(self, lead_id: UUID) -> list[str]:
        """Return the wire types of what scoring said of a lead."""
        return [kind for kind, _ in await self.said(lead_id)]

    async def row(self, statement: str, lead_id: UUID) -> tuple[Any, ...]:
        """Return the one row that a statement finds of a lead."""
        async with self.engine.connect() as connection:
            found = await connection.execute(text(statement), {"lead": lead_id})
            return tuple(found.one())

    async def _count(self, wanted: dict[str, Any]) -> int:
        async with self.engine.connect() as connection:
            return await connection.scalar(_HEARD, wanted) or 0


@pytest.fixture(scope="module")
async def settings(
    database_for: Callable[[str], Awaitable[str]], kafka_settings: KafkaSettings
) -> Settings:
    return Settings(
        database_url=await database_for("lead_scoring"),  # pyright: ignore[reportArgumentType]
        instance="test-0",
        **kafka_settings.model_dump(exclude={"instance"}),
    )


@pytest.fixture(scope="module")
async def engine(settings: Settings) -> AsyncGenerator[AsyncEngine]:
    engine = open_engine(settings, limits.WORKER)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="module")
async def worker(settings: Settings) -> AsyncGenerator[None]:
    """Scoring's own worker, as `python -m lead_scoring worker` runs it."""
    heartbeats, stop = Heartbeats(), asyncio.Event()
    own = open_engine(settings, limits.WORKER, hot=True)
    running = bootstrap.make_worker(settings, own, heartbeats).loops()
    task = asyncio.create_task(loops.run(running, heartbeats, stop))
    yield
    stop.set()
    await task
    await own.dispose()


@pytest.fixture(scope="module")
async def world(
    engine: AsyncEngine,
    kafka_settings: KafkaSettings,
    worker: None,  # noqa: ARG001  it hears what is said
) -> AsyncGenerator[World]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka_settings.kafka_bootstrap, acks="all")
    await producer.start()
    yield World(engine, kafka_settings, producer)
    await producer.stop()


@pytest.fixture(scope="module")
async def api(engine: AsyncEngine) -> AsyncGenerator[httpx.AsyncClient]:
    """The API, with a key that may do all."""
    app = build_api(Context(engine=engine, keyring=Keyring(engine)))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://scoring") as client:
        client.headers["Authorization"] = await make_key(engine, "scores:read", "rules:write")
        yield client


async def make_key(engine: AsyncEngine, *scopes: str) -> str:
    """Make a key; return the header's value."""
    key = new_key()
    async with engine.begin() as connection:
        await connection.execute(
            text("SELECT create_api_key(:id, :hash, 'test', :scopes, NULL, NULL)"),
            {"id": key.key_id, "hash": key.secret_hash, "scopes": list(scopes)},
        )
    return f"Bearer {key.text}"


def a_card(**parts: object) -> LeadCard:
    """Return somebody whom the first scorecard gives 65 points for fit."""
    fields = {
        "email": "ada@acme.example",
        "phone": "+4930123456",
        "company": "Acme",
        "job_title": "Head of Marketing",
        "country": "DE",
    }
    return LeadCard.model_validate(fields | parts)


def a_touchpoint(at: datetime | None = None, **parts: object) -> Touchpoint:
    """Return a form that was sent, worth 10 points."""
    fields = {
        "touchpoint_id": new_id(),
        "kind": "form",
        "channel": "direct",
        "source_id": new_id(),
        "source_name": "site",
        "occurred_at": at or utc_now(),
        "received_at": at or utc_now(),
    }
    return Touchpoint.model_validate(fields | parts)


LONG_AGO = datetime.fromisoformat("2020-01-01T00:00:00+00:00")
_offsets = itertools.count()


@dataclass
class Heard:
    """Scoring without its worker: it hears in batches what a test hands over."""

    engine: AsyncEngine
    batch: Batch[Desk]
    sequences: Counter[tuple[str, UUID]] = field(default_factory=Counter)

    def deliver(self, event: Event) -> Delivery:
        """Return an event as it would come from Kafka, with the next number of its stream."""
        stream = topic_of(type(event)), event.subject
        self.sequences[stream] += 1
        envelope = Envelope(
            event_id=new_id(), topic=stream[0], subject=event.subject,
            sequence=self.sequences[stream], kind=event.kind, version=event.version,
            said_at=utc_now(), source="a test", correlation_id=new_id(), causation_id=None,
            traceparent=None, data=event.to_wire(),
        )  # fmt: skip
        return Delivery(envelope, partition=0, offset=next(_offsets))

    async def say(self, *events: Event) -> None:
        """Let scoring hear events, together in one batch."""
        await self.repeat([self.deliver(event) for event in events])

    async def repeat(self, deliveries: Sequence[Delivery]) -> None:
        """Let scoring hear what it may have heard before."""
        assert await self.batch.run(deliveries) == []

    async def kinds(self, lead_id: UUID) -> list[str]:
        """Return the wire types of what scoring said of a lead, in order."""
        async with self.engine.connect() as connection:
            return [row.type for row in await connection.execute(_SAID, {"lead": lead_id})]

    async def codes_of_one_lead(self, streams: Sequence[Sequence[Event]]) -> Counter[str]:
        """Return the entries that one lead has who did all of this under one name."""
        lead_id = new_id()
        acts = [
            event.model_copy(update={"lead_id": lead_id})
            for stream in streams
            for event in stream
            if isinstance(event, LeadCaptured | LeadUpdated | TouchpointRecorded)
        ]
        await self.say(*acts)
        async with self.engine.connect() as connection:
            entries = await connection.scalar(
                text("SELECT entries FROM lead_score WHERE lead_id = :id"), {"id": lead_id}
            )
        return Counter(entry["code"] for entry in entries)


@pytest.fixture
def hear(engine: AsyncEngine) -> Heard:
    started_at = {topic.name: LONG_AGO for topic in TOPICS}
    return Heard(engine, Batch(engine, ScoringHearer(Desks()), started_at))
