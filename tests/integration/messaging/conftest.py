"""A small hearer on a database of its own: it counts what it hears, per lead and in order."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.stack import databases
from tests.stack.running import Stack
from tests.stack.voices import LONG_AGO, envelope

from shared.clock import utc_now
from shared.contracts.event import Event
from shared.contracts.lead import (
    LeadCaptured,
    LeadCard,
    LeadErased,
    LeadMerged,
    LeadUpdated,
    Touchpoint,
)
from shared.contracts.score import LeadScored, Score
from shared.ids import new_id
from shared.messaging.batch import Batch
from shared.messaging.breaker import Breaker
from shared.messaging.heard import Handler, Heard
from shared.messaging.narrowing import Narrowing
from shared.messaging.records import Delivery

LEADS = "handoff.leads.v1"
TOPICS = (LEADS, "handoff.touchpoints.v1", "handoff.deals.v1")

TALLY = """
CREATE TABLE tally (
    lead_id uuid PRIMARY KEY,
    heard   text[] NOT NULL CHECK (array_position(heard, 'unstorable') IS NULL)
)
"""


class Killed(BaseException):
    """Stands for a SIGKILL: nothing catches it."""


@dataclass
class TallyDesk:
    """What was heard of each lead of the batch."""

    heard: dict[UUID, list[str]]

    def leave(self, subject: UUID) -> None:
        self.heard.pop(subject, None)


def note(desk: TallyDesk, heard: Heard[Any], _now: datetime) -> Sequence[Event]:
    """Write down who came; a company called `poison` cannot be heard."""
    company = heard.event.lead.company
    if company == "poison":
        raise ValueError("this cannot be heard")
    if company == "kill":
        raise Killed
    desk.heard.setdefault(heard.subject, []).append(company)
    return [
        LeadScored(
            lead_id=heard.subject,
            lead_version=heard.event.lead_version,
            score=Score(
                score=1, grade="D4", fit=0, engagement=1, scorecard_id=heard.subject,
                scorecard_version=1, threshold=60, entries=(),
            ),
        )
    ]  # fmt: skip


def merge(desk: TallyDesk, heard: Heard[Any], _now: datetime) -> Sequence[Event]:
    """Write down what both said under one name; a survivor called `poison` cannot be merged."""
    if heard.event.lead.company == "poison":
        raise ValueError("these cannot be merged")
    theirs = desk.heard.pop(heard.merged, [])
    desk.heard.setdefault(heard.subject, []).extend(theirs)
    return []


@dataclass
class Tally:
    """The service."""

    forgotten: list[UUID] = field(default_factory=list)

    @property
    def subscriptions(self) -> Mapping[type[Event], Handler[TallyDesk]]:
        return {LeadCaptured: note, LeadUpdated: note, LeadMerged: merge}

    async def load(self, connection: AsyncConnection, heard: Sequence[Heard[Any]]) -> TallyDesk:
        ids = [subject for each in heard for subject in each.subjects]
        rows = await connection.execute(
            text("SELECT lead_id, heard FROM tally WHERE lead_id = ANY(:ids)"), {"ids": ids}
        )
        return TallyDesk({row.lead_id: list(row.heard) for row in rows})

    async def save(self, connection: AsyncConnection, desk: TallyDesk) -> None:
        for lead_id, heard in desk.heard.items():
            await connection.execute(
                text(
                    "INSERT INTO tally VALUES (:id, :heard)"
                    " ON CONFLICT (lead_id) DO UPDATE SET heard = excluded.heard"
                ),
                {"id": lead_id, "heard": heard},
            )

    async def move(self, connection: AsyncConnection, merged: UUID, *, into: UUID) -> None:
        del into
        await connection.execute(text("DELETE FROM tally WHERE lead_id = :id"), {"id": merged})

    async def forget(self, connection: AsyncConnection, subjects: Sequence[UUID]) -> None:
        self.forgotten += subjects
        await connection.execute(
            text("DELETE FROM tally WHERE lead_id = ANY(:ids)"), {"ids": list(subjects)}
        )


@dataclass
class Cut(Tally):
    """A tally whose database goes away when it is asked, the first times."""

    outages: int = 0

    async def load(self, connection: AsyncConnection, heard: Sequence[Heard[Any]]) -> TallyDesk:
        self.outages -= 1
        if self.outages >= 0:
            raise ConnectionResetError
        return await super().load(connection, heard)


@pytest.fixture(scope="module")
async def database_url(stack: Stack) -> AsyncGenerator[str]:
    url = await databases.make_empty(stack, "lead_scoring")
    connection = await asyncpg.connect(url, ssl=False)
    for name in ("0001_messaging", "0001_idempotency"):
        script = resources.files("shared.database").joinpath("ddl", f"{name}.sql")
        await connection.execute(script.read_text())
    await connection.execute(TALLY)
    # Leads are younger than the subscription, whichever test is the first to run a worker.
    subscribed = "INSERT INTO subscription SELECT topic, $2 FROM unnest($1::text[]) AS t (topic)"
    await connection.execute(subscribed, TOPICS, LONG_AGO)
    await connection.close()
    yield url
    await databases.drop(stack, url)


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
async def narrowing(engine: AsyncEngine, tally: Tally) -> Narrowing[TallyDesk]:
    async with engine.begin() as connection:
        await connection.execute(text("TRUNCATE breaker"))
    batch = Batch(engine, tally, dict.fromkeys(TOPICS, LONG_AGO))
    return Narrowing(engine, batch, Breaker("tally", "1"))


async def heard_of(engine: AsyncEngine, lead_id: UUID) -> list[str]:
    """Return what had its effect, in order."""
    async with engine.connect() as connection:
        found = await connection.scalar(
            text("SELECT heard FROM tally WHERE lead_id = :id"), {"id": lead_id}
        )
        return list(found or [])


def captured(lead_id: UUID, company: str) -> LeadCaptured:
    """Return the smallest event that says who came."""
    touchpoint = Touchpoint(
        touchpoint_id=new_id(), kind="form", channel="email", source_id=new_id(),
        source_name="a form", occurred_at=utc_now(), received_at=utc_now(),
    )  # fmt: skip
    card = LeadCard(email="a@example.com", company=company)
    return LeadCaptured(lead_id=lead_id, lead_version=1, lead=card, touchpoint=touchpoint)


def delivery(
    lead_id: UUID, sequence: int, company: str = "", *, event: Event | None = None
) -> Delivery:
    """Return an event as it would come from Kafka."""
    said = event or captured(lead_id, company or str(sequence))
    return Delivery(envelope(said, sequence), partition=0, offset=sequence)


def erased(lead_id: UUID) -> LeadErased:
    return LeadErased(lead_id=lead_id, lead_version=9, erased_at=utc_now())


def merged(stream: UUID, gone: UUID, *, into: UUID, company: str = "") -> LeadMerged:
    """Return the merge of two leads as it is said on the stream of one of them."""
    return LeadMerged(
        lead_id=stream, lead_version=5, merged_id=gone, surviving_id=into,
        lead=LeadCard(company=company), merged_at=utc_now(),
    )  # fmt: skip
