"""A service with something parked: its routes, and a worker that carries out orders."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.stack.fixtures import DatabaseFor
from tests.stack.keys import bearer, make_key
from tests.stack.voices import envelope

from shared.clock import utc_now
from shared.contracts.event import Event
from shared.contracts.lead import LeadCaptured, LeadCard, Touchpoint
from shared.ids import new_id
from shared.messaging import parking, subjects
from shared.messaging.heard import Handler, Heard
from shared.messaging.lease import Lease
from shared.messaging.orders import Orders
from shared.messaging.parking import Parked
from shared.messaging.records import Delivery
from shared.operations.routes import routes
from shared.telemetry.heartbeat import Heartbeats
from shared.web.app import create_app
from shared.web.keys import Keyring

LEADS = "handoff.leads.v1"


@dataclass
class NoDesk:
    """Needs nothing."""

    def leave(self, subject: UUID) -> None:
        del subject


@dataclass
class Picky:
    """A hearer that notes what it hears, and cannot hear some companies."""

    heard: list[tuple[UUID, int]] = field(default_factory=list[tuple[UUID, int]])
    mended: bool = False

    @property
    def subscriptions(self) -> Mapping[type[Event], Handler[NoDesk]]:
        return {LeadCaptured: self.note}

    def note(self, desk: NoDesk, heard: Heard[Any], now: datetime) -> Sequence[Event]:
        del desk, now
        if heard.event.lead.company == "poison" and not self.mended:
            raise ValueError("this cannot be heard")
        self.heard.append((heard.subject, heard.envelope.sequence))
        return []

    def heard_of(self, lead_id: UUID) -> list[int]:
        """Return the numbers of what was heard of a lead; orders of other tests may be open."""
        return [sequence for subject, sequence in self.heard if subject == lead_id]

    async def load(self, connection: AsyncConnection, heard: Sequence[Heard[Any]]) -> NoDesk:
        del connection, heard
        return NoDesk()

    async def save(self, connection: AsyncConnection, desk: NoDesk) -> None:
        """Keep nothing."""

    async def move(self, connection: AsyncConnection, merged: UUID, *, into: UUID) -> None:
        """Have nothing."""

    async def forget(self, connection: AsyncConnection, subjects: Sequence[UUID]) -> None:
        """Have nothing."""


@pytest.fixture(scope="module")
async def database_url(database_for: DatabaseFor) -> str:
    return await database_for("sales_pipeline")


@pytest.fixture
async def hearer(engine: AsyncEngine) -> AsyncGenerator[Picky]:
    """The worker, carrying out orders with this hearer."""
    picky, stop = Picky(), asyncio.Event()
    lease, beat = Lease(engine, name="orders", owner="one"), Heartbeats().loop("orders")
    worker = Orders(engine, "sales-pipeline", picky, lease, beat)
    working = asyncio.create_task(worker.run(stop))
    yield picky
    stop.set()
    await working


async def speak(engine: AsyncEngine, *scopes: str) -> httpx.AsyncClient:
    """Return a client whose key has these scopes."""
    app = create_app(
        service="any", version="1", routers=[routes(engine, Keyring(engine))], errors={}
    )
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://any",
        headers=bearer(await make_key(engine, *scopes, name="night shift")),
    )


@pytest.fixture(scope="module")
async def api(engine: AsyncEngine) -> AsyncGenerator[httpx.AsyncClient]:
    async with await speak(engine, "operate") as client:
        yield client


def delivery(lead_id: UUID, sequence: int, company: str) -> Delivery:
    """Return an event as Kafka would bring it."""
    now = utc_now()
    touchpoint = Touchpoint(
        touchpoint_id=new_id(), kind="form", channel="email", source_id=new_id(),
        source_name="a form", occurred_at=now, received_at=now,
    )  # fmt: skip
    event = LeadCaptured(
        lead_id=lead_id, lead_version=1, lead=LeadCard(company=company), touchpoint=touchpoint
    )
    return Delivery(envelope(event, sequence), partition=3, offset=sequence)


async def park(
    engine: AsyncEngine, *companies: str, reason: str = "poison", error: str = "ValueError: no"
) -> UUID:
    """Park a new lead for its first event; the others wait behind it. Return its id."""
    lead_id = new_id()
    first, *behind = [delivery(lead_id, n, name) for n, name in enumerate(companies, start=1)]
    async with engine.begin() as connection:
        await subjects.lock(connection, [lead_id])
        await parking.park(connection, [Parked(first, reason, error, "Traceback: …")])
        await parking.park(connection, [Parked(each, "behind") for each in behind])
        await parking.mark(connection, lead_id, reason)
    return lead_id


async def parked_ids(api: httpx.AsyncClient, **query: str | int) -> list[str]:
    """Return the ids of the list, page by page."""
    found: list[str] = []
    while True:
        page = (await api.get("/v1/parked", params=query)).json()
        found += [lead["id"] for lead in page["items"]]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


def rule_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]
