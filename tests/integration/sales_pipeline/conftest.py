"""The pipeline on a real database: its API over ASGI, and what the other services say to it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.stack import voices
from tests.stack.fixtures import DatabaseFor
from tests.stack.keys import bearer, make_key
from tests.stack.voices import SINCE_LONG_AGO

from sales_pipeline.entrypoints.api import build_api
from sales_pipeline.entrypoints.context import Context
from sales_pipeline.entrypoints.worker import PipelineHearer
from shared.clock import utc_now
from shared.contracts.lead import LeadCard
from shared.contracts.score import LeadQualified, Score
from shared.ids import new_id
from shared.messaging.batch import Batch
from shared.web.keys import Keyring

SCOPES = ["deals:read", "deals:write", "reps:write"]


@pytest.fixture(scope="module")
async def database_url(database_for: DatabaseFor) -> str:
    return await database_for("sales_pipeline")


@pytest.fixture(scope="module")
async def api(engine: AsyncEngine) -> AsyncGenerator[httpx.AsyncClient]:
    """Speaks to the API, with all scopes."""
    app = build_api(Context(engine=engine, keyring=Keyring(engine)))
    headers = bearer(await make_key(engine, *SCOPES))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://pipeline", headers=headers
    ) as client:
        yield client


@dataclass
class Others(voices.Others):
    """The other services: what they say arrives here as from Kafka, in a batch."""

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
    return Others(Batch(engine, PipelineHearer(), SINCE_LONG_AGO))


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
