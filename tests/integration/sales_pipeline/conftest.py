"""The pipeline on a real database: its API over ASGI, and what the other services say to it."""

import itertools
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.stack.fixtures import DatabaseFor

from sales_pipeline.entrypoints.api import build_api
from sales_pipeline.entrypoints.context import Context
from sales_pipeline.entrypoints.worker import PipelineHearer
from shared import limits
from shared.clock import utc_now
from shared.contracts.catalogue import TOPICS, topic_of
from shared.contracts.envelope import Envelope
from shared.contracts.event import Event
from shared.contracts.lead import LeadCard
from shared.contracts.score import LeadQualified, Score
from shared.database.engine import open_engine
from shared.ids import new_id
from shared.messaging.batch import Batch
from shared.messaging.records import Delivery
from shared.settings import DatabaseSettings
from shared.web.keys import Keyring, new_key

SCOPES = ["deals:read", "deals:write", "reps:write"]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
_offsets = itertools.count()


@pytest.fixture(scope="module")
async def engine(database_for: DatabaseFor) -> AsyncGenerator[AsyncEngine]:
    settings = DatabaseSettings(database_url=await database_for("sales_pipeline"))
    engine = open_engine(settings, limits.WORKER, hot=True)
    yield engine
    await engine.dispose()


async def make_key(engine: AsyncEngine, scopes: Sequence[str]) -> str:
    """Return a fresh key for the API."""
    key = new_key()
    async with engine.begin() as connection:
        await connection.execute(
            text("SELECT create_api_key(:id, :hash, 'a test', :scopes, NULL, NULL)"),
            {"id": key.key_id, "hash": key.secret_hash, "scopes": list(scopes)},
        )
    return key.text


@pytest.fixture(scope="module")
async def api(engine: AsyncEngine) -> AsyncGenerator[httpx.AsyncClient]:
    """Speaks to the API, with all scopes."""
    app = build_api(Context(engine=engine, keyring=Keyring(engine)))
    headers = {"Authorization": f"Bearer {await make_key(engine, SCOPES)}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://pipeline", headers=headers
    ) as client:
        yield client


@dataclass
class Others:
    """The other services: what they say arrives here as from Kafka, in a batch."""

    batch: Batch[Any]
    said: dict[tuple[str, UUID], int] = field(default_factory=lambda: defaultdict(int))

    def deliver(self, event: Event) -> Delivery:
        """Return an event as it would come from Kafka, with the next number of its stream."""
        topic = topic_of(type(event))
        self.said[topic, event.subject] += 1
        envelope = Envelope(
            event_id=new_id(), topic=topic, subject=event.subject,
            sequence=self.said[topic, event.subject], kind=event.kind, version=1,
            said_at=utc_now(), source="a test", correlation_id=new_id(), causation_id=None,
            traceparent=None, data=event.to_wire(),
        )  # fmt: skip
        return Delivery(envelope, partition=0, offset=next(_offsets))

    async def say(self, *events: Event) -> None:
        """Let the pipeline hear events, together in one batch."""
        await self.repeat([self.deliver(event) for event in events])

    async def repeat(self, deliveries: Sequence[Delivery]) -> None:
        """Let the pipeline hear what it may have heard before."""
        failures = await self.batch.run(deliveries)
        assert failures == []

    async def qualify(self, lead_id: UUID | None = None, **changes: Any) -> UUID:
        """Say that a lead, or a new one, is qualified; return its id."""
        event = qualified(lead_id, **changes)
        await self.say(event)
        return event.lead_id


def qualified(
    lead_id: UUID | None = None, *, version: int = 1, score: int = 70, email: str = "g@navy.example"
) -> LeadQualified:
    """Return what scoring says of a qualified lead."""
    return LeadQualified(
        lead_id=lead_id or new_id(),
        lead_version=version,
        lead=LeadCard(email=email, first_name="Grace", last_name="Hopper"),
        score=Score(
            score=score, grade="B2", fit=30, engagement=score - 30, scorecard_id=new_id(),
            scorecard_version=1, threshold=60, entries=(),
        ),
        qualified_at=utc_now(),
    )  # fmt: skip


@pytest.fixture
def others(engine: AsyncEngine) -> Others:
    started_at = {topic.name: LONG_AGO for topic in TOPICS}
    return Others(Batch(engine, PipelineHearer(), started_at))


async def said(connection: AsyncConnection, subject: UUID) -> list[str]:
    """Return the types of what the pipeline said of a lead or rep, in its order."""
    rows = await connection.execute(
        text("SELECT type FROM outbox WHERE subject = :id ORDER BY id"), {"id": subject}
    )
    return [row.type.removesuffix(".v1") for row in rows]


@pytest.fixture
async def connection(engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
    """Look at what is committed."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        yield connection


@pytest.fixture
async def deal(api: httpx.AsyncClient, others: Others) -> dict[str, Any]:
    """A deal that was just opened."""
    return await deal_of(api, await others.qualify())


async def deal_of(api: httpx.AsyncClient, lead_id: UUID, outcome: str = "open") -> dict[str, Any]:
    """Return the one deal of a lead that has this outcome."""
    answer = await api.get("/v1/deals", params={"lead_id": str(lead_id), "outcome": outcome})
    assert answer.status_code == 200, answer.text
    (deal,) = answer.json()["items"]
    return deal


async def add_rep(api: httpx.AsyncClient, name: str, **more: Any) -> dict[str, Any]:
    """Add a rep with an address of their own."""
    email = f"{name}.{new_id().hex}@sales.example"
    answer = await api.post("/v1/reps", json={"name": name, "email": email, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def rule_of(answer: httpx.Response) -> str:
    """Return the name of the rule that an answer says was broken."""
    return answer.json()["type"].rpartition(":")[2]
