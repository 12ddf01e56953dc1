"""A service that hears and says on real Kafka, and orders about it given over its API.

The database is lead-scoring's in name; what hears is a tally, and what says is a test.
"""

from collections.abc import AsyncGenerator, Iterable
from datetime import timedelta
from importlib import resources
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.conftest import TALLY, Tally
from tests.integration.messaging.loops import a_relay, nothing_waits, running, say
from tests.stack import databases
from tests.stack.keys import bearer, make_key
from tests.stack.running import Stack
from tests.stack.topics import forget, read_back
from tests.stack.voices import LONG_AGO
from tests.stack.waiting import until

from shared.clock import utc_now
from shared.contracts.catalogue import SCORING, heard_by
from shared.contracts.envelope import Envelope
from shared.ids import LeadId, new_id
from shared.kafka.topics import physical
from shared.messaging.consumer import Consumer
from shared.messaging.lease import Lease
from shared.messaging.replay.replays import Replays
from shared.operations import replays
from shared.settings import KafkaSettings
from shared.telemetry.heartbeat import Heartbeats
from shared.web.app import create_app
from shared.web.keys import Keyring

LEADS = "handoff.leads.v1"
CHANGING = {"replay_order", "lease", "idempotency", "api_key", "breaker"}
"""What an order itself writes, and the count of how well it went."""


async def make_database(stack: Stack) -> str:
    """Return a database that can hear into a tally, say, and answer an API."""
    url = await databases.make_empty(stack, "lead_scoring")
    connection = await asyncpg.connect(url, ssl=False)
    ddl = resources.files("shared.database").joinpath("ddl")
    for name in ("0001_messaging", "0001_api_key", "0001_idempotency"):
        await connection.execute(ddl.joinpath(f"{name}.sql").read_text())
    await connection.execute(TALLY)
    await connection.execute(
        "INSERT INTO subscription SELECT unnest($1::text[]), $2", list(heard_by(SCORING)), LONG_AGO
    )
    await connection.close()
    return url


@pytest.fixture(scope="module")
async def database_url(stack: Stack) -> AsyncGenerator[str]:
    url = await make_database(stack)
    yield url
    await databases.drop(stack, url)


@pytest.fixture
def tally() -> Tally:
    return Tally()


async def speak(engine: AsyncEngine, service: str = SCORING) -> httpx.AsyncClient:
    """Return a client of the routes for orders, as this service has them."""
    router = replays.routes(engine, Keyring(engine), service)
    app = create_app(service="any", version="1", routers=[router], errors={})
    headers = bearer(await make_key(engine, "operate", name="night shift"))
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://any", headers=headers)


@pytest.fixture(scope="module")
async def api(engine: AsyncEngine) -> AsyncGenerator[httpx.AsyncClient]:
    async with await speak(engine) as client:
        yield client


def a_consumer(engine: AsyncEngine, settings: KafkaSettings, hearer: Tally) -> Consumer:
    return Consumer(
        engine=engine, settings=settings, service=SCORING, version="1", topics=(LEADS,),
        hearer=hearer, heartbeat=Heartbeats().loop("consume"),
    )  # fmt: skip


def a_replayer(
    engine: AsyncEngine, settings: KafkaSettings, hearer: Tally | None, service: str = SCORING
) -> Replays:
    return Replays(
        engine=engine, settings=settings, service=service, version="1", hearer=hearer,
        lease=Lease(engine, name="replays", owner="one"), heartbeat=Heartbeats().loop("replays"),
    )  # fmt: skip


async def ask(api: httpx.AsyncClient, **order: Any) -> dict[str, Any]:
    """Give an order: of the last hour, where it says nothing else."""
    if not order.keys() & {"since", "partition", "lead_id"}:
        order["since"] = (utc_now() - timedelta(hours=1)).isoformat()
    answer = await api.post("/v1/replays", json=order)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def carried_out(api: httpx.AsyncClient, replayer: Replays, **order: Any) -> dict[str, Any]:
    """Give an order and let a worker carry it out; return what became of it."""
    asked = await ask(api, **order)
    async with running(replayer):
        order = await over(api, asked["id"])
    assert order["state"] == "done", order["error"]
    return order


async def over(api: httpx.AsyncClient, order_id: str) -> dict[str, Any]:
    """Wait until an order is over; return it."""
    found: dict[str, Any] = {}

    async def is_over() -> bool:
        found.update((await api.get(f"/v1/replays/{order_id}")).json())
        return found["state"] not in {"waiting", "running", "held"}

    await until(is_over)
    return found


def counts(order: dict[str, Any], topic: str = LEADS) -> dict[str, int]:
    """Return what was counted of a topic, the noughts left out."""
    found = next((each for each in order["counts"] if each["topic"] == topic), {})
    return {name: n for name, n in found.items() if name != "topic" and n}


async def publish(
    engine: AsyncEngine, settings: KafkaSettings, leads: Iterable[UUID], *companies: str
) -> None:
    """Say events of each lead, and have them in Kafka."""
    async with running(a_relay(engine, settings)):
        for lead in leads:
            await say(engine, lead, *companies)
        await until(lambda: _is_zero(engine, "SELECT count(*) FROM outbox WHERE topic = :topic"))


async def hear(engine: AsyncEngine, settings: KafkaSettings, tally: Tally, *leads: UUID) -> None:
    """Let the live consumer hear all that was said of the leads."""
    async with running(a_consumer(engine, settings, tally)):
        await until(lambda: is_level(engine, leads))


async def is_level(engine: AsyncEngine, leads: Iterable[UUID]) -> bool:
    """Tell whether what was said of leads was heard."""
    behind = """
        SELECT count(*) FROM said_stream s LEFT JOIN stream h USING (topic, subject)
        WHERE s.topic = :topic AND s.subject = ANY(:leads)
          AND coalesce(h.last_sequence, 0) < s.last_sequence
    """
    return await _is_zero(engine, behind, leads=list(leads))


async def _is_zero(engine: AsyncEngine, sql: str, **values: object) -> bool:
    async with engine.connect() as connection:
        return await connection.scalar(text(sql), {"topic": LEADS, **values}) == 0


async def restore(engine: AsyncEngine, leads: Iterable[UUID], *, heard: int) -> None:
    """Set what was heard of leads back, as a backup would: nothing was heard after `heard`."""
    values = {"leads": list(leads), "heard": heard, "topic": LEADS}
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "UPDATE tally SET heard = heard[1:CAST(:heard AS int)] WHERE lead_id = ANY(:leads)"
            ),
            values,
        )
        await connection.execute(
            text("""
                UPDATE stream s SET last_sequence = a.sequence, last_event_id = a.event_id
                FROM outbox_archive a WHERE s.subject = ANY(:leads) AND s.topic = :topic
                  AND a.subject = s.subject AND a.topic = s.topic AND a.sequence = :heard
            """),
            values,
        )
        if heard == 0:
            await connection.execute(
                text("DELETE FROM stream WHERE subject = ANY(:leads) AND topic = :topic"), values
            )
            await connection.execute(text("DELETE FROM tally WHERE lead_id = ANY(:leads)"), values)


async def go_back(engine: AsyncEngine, leads: Iterable[UUID], *, said: int, topic: str) -> None:
    """Set what was said of leads back, as a backup would: nothing was said after `said`."""
    values = {"leads": list(leads), "said": said, "topic": topic}
    of_these = "subject = ANY(:leads) AND topic = :topic"
    async with engine.begin() as connection:
        for statement in (
            f"DELETE FROM outbox_archive WHERE {of_these} AND sequence > :said",  # noqa: S608
            f"UPDATE said_stream SET last_sequence = :said WHERE {of_these}",  # noqa: S608
            f"DELETE FROM said_stream WHERE {of_these} AND last_sequence = 0",  # noqa: S608
        ):
            await connection.execute(text(statement), values)


async def goes_on(engine: AsyncEngine, settings: KafkaSettings) -> None:
    """Let the relay send what waits: it refuses as long as anything is foreign."""
    async with running(a_relay(engine, settings)):
        await until(lambda: nothing_waits(engine))


async def contents(engine: AsyncEngine) -> dict[str, list[str]]:
    """Return every row of every table, but for what an order itself writes."""
    async with engine.connect() as connection:
        names = await connection.scalars(
            text("""
                SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
                AND relnamespace = 'public'::regnamespace ORDER BY relname
            """)
        )
        return {
            name: list(
                await connection.scalars(
                    text(f"SELECT CAST(t AS text) FROM {name} t ORDER BY 1")  # noqa: S608  our own
                )
            )
            for name in names
            if name not in CHANGING
        }


async def lose_records(settings: KafkaSettings) -> None:
    """Let Kafka forget everything on the topic, as after its retention or a lost disk."""
    await forget(settings.kafka_bootstrap, physical(settings, LEADS))


async def in_kafka(settings: KafkaSettings, leads: Iterable[LeadId]) -> dict[UUID, list[Envelope]]:
    """Return what lies on the topic of each lead, in the order in which it is read."""
    streams = await read_back(settings, [LEADS])
    assert all(stream.keys == {str(lead).encode()} for (_, lead), stream in streams.items())
    return {lead: streams[LEADS, lead].envelopes for lead in leads}


def some(count: int) -> list[LeadId]:
    return [LeadId(new_id()) for _ in range(count)]
