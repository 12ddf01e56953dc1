"""Scoring as a whole on real Postgres and Kafka: its worker runs, its API answers."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.stack.feeder import Feeder, feeding
from tests.stack.fixtures import DatabaseFor
from tests.stack.keys import bearer, make_key
from tests.stack.voices import SINCE_LONG_AGO, Others
from tests.stack.waiting import until

from lead_scoring.adapters.desks import Desks
from lead_scoring.config import Settings
from lead_scoring.entrypoints.api import build_api
from lead_scoring.entrypoints.context import Context
from lead_scoring.entrypoints.worker import ScoringHearer
from lead_scoring.worker import make_loops
from shared import limits
from shared.clock import utc_now
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
from shared.messaging import loops
from shared.messaging.batch import Batch
from shared.settings import KafkaSettings
from shared.telemetry.heartbeat import Heartbeats
from shared.web.keys import Keyring

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
    feeder: Feeder

    async def say(self, *events: Event) -> list[Envelope]:
        """Publish events as their service would, and wait until they were heard."""
        envelopes = await self.feeder.say(*events)
        await self.heard()
        return envelopes

    async def heard(self) -> None:
        """Wait until all that was published had its effect."""
        wanted = {
            "topics": [topic for topic, _ in self.feeder.said],
            "subjects": [subject for _, subject in self.feeder.said],
            "sequences": list(self.feeder.said.values()),
        }

        async def all_heard() -> bool:
            return await self._count(wanted) == len(self.feeder.said)

        await until(all_heard)

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
async def database_url(database_for: DatabaseFor) -> str:
    return await database_for("lead_scoring")


@pytest.fixture(scope="module")
def settings(database_url: str, kafka_settings: KafkaSettings) -> Settings:
    return Settings(
        database_url=database_url,
        instance="test-0",
        **kafka_settings.model_dump(exclude={"instance"}),
    )


@pytest.fixture(scope="module")
async def worker(settings: Settings) -> AsyncGenerator[None]:
    """Scoring's own worker, as `python -m lead_scoring.worker` runs it."""
    heartbeats, stop = Heartbeats(), asyncio.Event()
    own = open_engine(settings, limits.WORKER, hot=True)
    running = make_loops(settings, own, heartbeats)
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
    async with feeding(kafka_settings) as feeder:
        yield World(engine, feeder)


@pytest.fixture(scope="module")
async def api(engine: AsyncEngine) -> AsyncGenerator[httpx.AsyncClient]:
    """The API, with a key that may do all."""
    app = build_api(Context(engine=engine, keyring=Keyring(engine)))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://scoring") as client:
        client.headers.update(bearer(await make_key(engine, "scores:read", "rules:write")))
        yield client


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


@dataclass
class Heard(Others):
    """Scoring without its worker: it hears in batches what a test hands over."""

    engine: AsyncEngine

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
    return Heard(Batch(engine, ScoringHearer(Desks()), SINCE_LONG_AGO), engine)
