"""What people do about parked events: the routes of every service, with its worker at work."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.stack.fixtures import DatabaseFor

from shared import limits
from shared.clock import utc_now
from shared.contracts.envelope import Envelope
from shared.contracts.event import Event
from shared.contracts.lead import LeadCaptured, LeadCard, Touchpoint
from shared.database.engine import open_engine
from shared.ids import new_id
from shared.messaging import parking, subjects
from shared.messaging.heard import Handler, Heard
from shared.messaging.orders import Orders
from shared.messaging.parking import Parked
from shared.messaging.records import Delivery
from shared.operations.routes import routes
from shared.settings import DatabaseSettings
from shared.telemetry.heartbeat import Heartbeats
from shared.web.app import create_app
from shared.web.keys import Keyring, new_key

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

    async def forget(self, connection: AsyncConnection, subjects: Sequence[UUID]) -> None:
        """Have nothing."""


@pytest.fixture(scope="module")
async def engine(database_for: DatabaseFor) -> AsyncGenerator[AsyncEngine]:
    settings = DatabaseSettings(database_url=await database_for("sales_pipeline"))
    engine = open_engine(settings, limits.WORKER, hot=True)
    yield engine
    await engine.dispose()


@pytest.fixture
async def hearer(engine: AsyncEngine) -> AsyncGenerator[Picky]:
    """The worker, carrying out orders with this hearer."""
    picky, stop = Picky(), asyncio.Event()
    beat = Heartbeats().loop("orders")
    working = asyncio.create_task(Orders(engine, "sales-pipeline", picky, beat).run(stop))
    yield picky
    stop.set()
    await working


async def speak(engine: AsyncEngine, scopes: list[str]) -> httpx.AsyncClient:
    """Return a client whose key has these scopes."""
    key = new_key()
    async with engine.begin() as connection:
        await connection.execute(
            text("SELECT create_api_key(:id, :hash, 'night shift', :scopes, NULL, NULL)"),
            {"id": key.key_id, "hash": key.secret_hash, "scopes": scopes},
        )
    app = create_app(
        service="any", version="1", routers=[routes(engine, Keyring(engine))], errors={}
    )
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://any",
        headers={"Authorization": f"Bearer {key.text}"},
    )


@pytest.fixture(scope="module")
async def api(engine: AsyncEngine) -> AsyncGenerator[httpx.AsyncClient]:
    async with await speak(engine, ["operate"]) as client:
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
    envelope = Envelope(
        event_id=new_id(), topic=LEADS, subject=lead_id, sequence=sequence, kind=event.kind,
        version=1, said_at=now, source="a test", correlation_id=new_id(), causation_id=None,
        traceparent=None, data=event.to_wire(),
    )  # fmt: skip
    return Delivery(envelope, partition=3, offset=sequence)


async def park(engine: AsyncEngine, *companies: str, reason: str = "poison") -> UUID:
    """Park a new lead for its first event; the others wait behind it. Return its id."""
    lead_id = new_id()
    first, *behind = [delivery(lead_id, n, name) for n, name in enumerate(companies, start=1)]
    async with engine.begin() as connection:
        await subjects.lock(connection, [lead_id])
        await parking.park(connection, [Parked(first, reason, "ValueError: no", "Traceback: …")])
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


async def test_a_parked_lead_is_listed_with_its_reason(
    engine: AsyncEngine, api: httpx.AsyncClient
) -> None:
    lead_id = await park(engine, "poison", "ACME", "ACME")
    listed = (await api.get("/v1/parked", params={"reason": "poison"})).json()["items"]
    [lead] = [each for each in listed if each["id"] == str(lead_id)]

    assert (lead["reason"], lead["count"], lead["behind"]) == ("poison", 3, 2)
    assert lead["error"] == "ValueError: no"
    assert (lead["first"]["type"], lead["first"]["sequence"]) == ("lead.captured.v1", 1)


async def test_the_list_is_walked_page_by_page_and_by_reason(
    engine: AsyncEngine, api: httpx.AsyncClient
) -> None:
    made = [str(await park(engine, "poison", reason="conflict")) for _ in range(3)]

    assert await parked_ids(api, reason="conflict", limit=1) == made
    assert not set(made) & set(await parked_ids(api, reason="busy"))


async def test_parked_events_are_shown_raw(engine: AsyncEngine, api: httpx.AsyncClient) -> None:
    lead_id = await park(engine, "poison", "ACME")
    shown = (await api.get(f"/v1/parked/{lead_id}")).json()
    first, second = shown["events"]["items"]

    assert (first["reason"], second["reason"]) == ("poison", "behind")
    assert first["traceback"] == "Traceback: …"
    assert first["headers"]["ce_subject"] == str(lead_id)
    assert (first["partition"], first["offset"]) == (3, 1)
    assert first["value_encoding"] == "text"
    assert '"company":"poison"' in first["value"]


async def test_what_is_no_text_is_shown_in_base64(
    engine: AsyncEngine, api: httpx.AsyncClient
) -> None:
    lead_id = await park(engine, "poison")
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE parked_event SET value = '\\xff00' WHERE subject = :id"), {"id": lead_id}
        )
    [event] = (await api.get(f"/v1/parked/{lead_id}")).json()["events"]["items"]

    assert (event["value"], event["value_encoding"]) == ("/wA=", "base64")


async def test_released_events_take_effect_in_their_order(
    engine: AsyncEngine, api: httpx.AsyncClient, hearer: Picky
) -> None:
    lead_id = await park(engine, "poison", "ACME", "ACME")
    hearer.mended = True
    answer = await api.post(f"/v1/parked/{lead_id}/release")

    assert (answer.status_code, answer.json()["count"]) == (200, 3)
    assert hearer.heard_of(lead_id) == [1, 2, 3]
    assert rule_of(await api.get(f"/v1/parked/{lead_id}")) == (404, "nothing-parked")


async def test_what_fails_again_is_409_and_stays_parked(
    engine: AsyncEngine, api: httpx.AsyncClient, hearer: Picky
) -> None:
    lead_id = await park(engine, "poison", "ACME")
    answer = await api.post(f"/v1/parked/{lead_id}/release")

    assert rule_of(answer) == (409, "still-failing")
    assert "this cannot be heard" in answer.json()["detail"]
    assert hearer.heard_of(lead_id) == []
    assert (await api.get(f"/v1/parked/{lead_id}")).json()["count"] == 2


async def test_discarded_events_have_no_effect_and_who_gave_them_up_is_kept(
    engine: AsyncEngine, api: httpx.AsyncClient, hearer: Picky
) -> None:
    lead_id = await park(engine, "poison", "ACME")
    answer = await api.post(f"/v1/parked/{lead_id}/discard", json={"reason": "a test of theirs"})
    order = (await api.get(answer.headers["location"])).json()

    assert (answer.status_code, answer.json()["count"]) == (200, 2)
    assert hearer.heard_of(lead_id) == []
    assert (order["actor"], order["reason"]) == ("night shift", "a test of theirs")
    assert str(lead_id) not in await parked_ids(api)


async def test_an_order_that_no_worker_has_come_to_is_202_and_can_be_looked_at(
    engine: AsyncEngine, api: httpx.AsyncClient
) -> None:
    lead_id = await park(engine, "poison")
    answer = await api.post(f"/v1/parked/{lead_id}/release")
    order = (await api.get(answer.headers["location"])).json()

    assert (answer.status_code, answer.json()["state"]) == (202, "open")
    assert (order["verb"], order["subject"], order["state"]) == ("release", str(lead_id), "open")


@pytest.mark.parametrize(("verb", "body"), [("release", None), ("discard", {"reason": "none"})])
async def test_nothing_parked_is_404(
    api: httpx.AsyncClient, verb: str, body: dict[str, str] | None
) -> None:
    answer = await api.post(f"/v1/parked/{new_id()}/{verb}", json=body)

    assert rule_of(answer) == (404, "nothing-parked")


async def test_discarding_needs_a_reason(engine: AsyncEngine, api: httpx.AsyncClient) -> None:
    lead_id = await park(engine, "poison")
    answer = await api.post(f"/v1/parked/{lead_id}/discard", json={})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/reason"


async def test_an_unknown_order_is_404(api: httpx.AsyncClient) -> None:
    assert (await api.get(f"/v1/parking-orders/{new_id()}")).status_code == 404


async def test_other_scopes_see_nothing(engine: AsyncEngine) -> None:
    async with await speak(engine, ["deals:read", "deals:write"]) as client:
        answer = await client.get("/v1/parked")

    assert rule_of(answer) == (403, "missing-scope")
