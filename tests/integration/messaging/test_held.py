"""A record that Kafka does not take holds up its own lead, until somebody decides."""

import asyncio
import secrets
from collections.abc import AsyncGenerator

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.integration.messaging.conftest import LEADS, Tally, captured, erased, heard_of
from tests.integration.messaging.loops import a_consumer, a_relay, say
from tests.stack.waiting import until

from shared.contracts.event import Event
from shared.ids import LeadId, new_id
from shared.kafka.topics import physical
from shared.messaging import erasure, loops, outbox, parking_orders, subjects
from shared.messaging.lease import Lease
from shared.messaging.orders import Orders
from shared.operations import parked
from shared.settings import KafkaSettings
from shared.telemetry.heartbeat import Heartbeats

LIMIT = 3_000
HUGE = secrets.token_hex(5_000)  # nothing that could be compressed


async def take_at_most(settings: KafkaSettings, size: int) -> None:
    """Let Kafka refuse longer records of the leads' topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    name, configs = physical(settings, LEADS), {"max.message.bytes": str(size)}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs=configs)])
    await admin.close()


async def tell(engine: AsyncEngine, lead: LeadId, *events: Event) -> None:
    async with engine.begin() as connection:
        await subjects.lock(connection, [lead])
        await outbox.say(connection, events, outbox.Cause(correlation_id=new_id()))


@pytest.fixture
async def lead(engine: AsyncEngine, kafka_settings: KafkaSettings) -> AsyncGenerator[LeadId]:
    """A lead whose second event is longer than Kafka takes; the third waits behind it."""
    await take_at_most(kafka_settings, LIMIT)
    lead = LeadId(new_id())
    await tell(engine, lead, *(captured(lead, company) for company in ("1", HUGE, "3")))
    yield lead
    async with engine.begin() as connection:
        for table in ("outbox_held", "outbox"):
            await connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608  ours


@pytest.fixture
async def running(
    engine: AsyncEngine, kafka_settings: KafkaSettings, tally: Tally
) -> AsyncGenerator[None]:
    """The publisher's relay, the worker that carries out orders, and one hearer."""
    stop, beats = asyncio.Event(), Heartbeats()
    worker = Orders(
        engine, "marketing-intake", None, Lease(engine, name="orders", owner="one"),
        beats.loop("orders"),
    )  # fmt: skip
    started = {
        "relay": a_relay(engine, kafka_settings).run,
        "orders": worker.run,
        "consume": a_consumer(engine, kafka_settings, tally).run,
    }
    running = asyncio.create_task(loops.run(started, beats, stop))
    yield
    stop.set()
    await running


async def is_held(engine: AsyncEngine, lead: LeadId) -> bool:
    async with engine.connect() as connection:
        found = await parked.one(connection, lead)
    return found is not None and found.reason == "held"


async def order(engine: AsyncEngine, lead: LeadId, verb: str) -> int:
    """Ask as the API does; return how many events that concerned."""
    async with engine.begin() as connection:
        order_id = await parking_orders.ask(
            connection, verb=verb, subject=lead, actor="night shift", reason="too long"
        )

    async def done() -> bool:
        async with engine.connect() as connection:
            row = await parking_orders.look(connection, order_id)
            return row is not None and row.done_at is not None

    await until(done)
    async with engine.connect() as connection:
        sql = text("SELECT count FROM parking_order WHERE id = :id")
        return await connection.scalar(sql, {"id": order_id}) or 0


async def until_heard(engine: AsyncEngine, lead: LeadId, *companies: str) -> None:
    async def all_heard() -> bool:
        return await heard_of(engine, lead) == [*companies]

    await until(all_heard)


@pytest.mark.usefixtures("running")
class TestHeld:
    async def test_it_is_shown_with_what_waits_behind_while_others_flow(
        self, engine: AsyncEngine, lead: LeadId
    ) -> None:
        await until(lambda: is_held(engine, lead))
        other = LeadId(new_id())
        await say(engine, other, "1", "2")
        await until_heard(engine, other, "1", "2")

        async with engine.connect() as connection:
            shown = await parked.one(connection, lead)
            rows = await parked.events(connection, lead, after=(0, 0), limit=10)
            causes = await parked.causes(connection, after=("", "", ""), limit=10)
        assert shown is not None
        assert (shown.error, shown.count, shown.behind) == ("MessageSizeTooLargeError", 2, 1)
        assert [(r.sequence, r.reason) for r in rows] == [(2, "held"), (3, "behind")]
        assert HUGE in parked.shown(rows[0]).value
        assert [(c.cause, c.reason, c.leads) for c in causes] == [
            ("MessageSizeTooLargeError", "held", 1)
        ]
        assert await heard_of(engine, lead) == ["1"]

    async def test_released_it_goes_out_once_kafka_takes_it(
        self, engine: AsyncEngine, lead: LeadId, kafka_settings: KafkaSettings
    ) -> None:
        await until(lambda: is_held(engine, lead))
        await take_at_most(kafka_settings, 1_000_000)

        assert await order(engine, lead, "release") == 2
        await until_heard(engine, lead, "1", HUGE, "3")

    async def test_released_too_early_it_is_held_again(
        self, engine: AsyncEngine, lead: LeadId
    ) -> None:
        await until(lambda: is_held(engine, lead))
        await order(engine, lead, "release")

        await until(lambda: is_held(engine, lead))
        assert await heard_of(engine, lead) == ["1"]

    async def test_discarded_it_goes_out_blank_and_its_hearers_advance(
        self, engine: AsyncEngine, lead: LeadId
    ) -> None:
        await until(lambda: is_held(engine, lead))

        assert await order(engine, lead, "discard") == 1
        await until_heard(engine, lead, "1", "3")
        async with engine.connect() as connection:
            archived = text(
                "SELECT payload, headers ->> 'blank' AS blank FROM outbox_archive"
                " WHERE subject = :lead AND sequence = 2 AND topic = :topic"
            )
            row = (await connection.execute(archived, {"lead": lead, "topic": LEADS})).one()
            assert (row.payload, row.blank) == (b"", "discarded")
            assert await parked.one(connection, lead) is None

    async def test_what_is_not_held_cannot_be_released(self, engine: AsyncEngine) -> None:
        assert await order(engine, LeadId(new_id()), "release") == 0

    async def test_an_erasure_is_not_held_up_by_it(self, engine: AsyncEngine, lead: LeadId) -> None:
        await until(lambda: is_held(engine, lead))
        async with engine.begin() as connection:
            await erase(connection, lead)

        await until_passed(engine, lead, 4)

    async def test_an_erasure_before_it_is_held_is_not_held_up_either(
        self, engine: AsyncEngine, kafka_settings: KafkaSettings
    ) -> None:
        await take_at_most(kafka_settings, LIMIT)
        lead = LeadId(new_id())
        async with engine.begin() as connection:
            await subjects.lock(connection, [lead])
            said = [captured(lead, company) for company in ("1", HUGE, "3")]
            await outbox.say(connection, said, outbox.Cause(correlation_id=new_id()))
            await erase(connection, lead)

        await until_passed(engine, lead, 4)
        assert not await is_held(engine, lead)

    async def test_what_is_said_of_an_erased_lead_goes_out_blank_instead(
        self, engine: AsyncEngine, kafka_settings: KafkaSettings
    ) -> None:
        await take_at_most(kafka_settings, LIMIT)
        lead = LeadId(new_id())
        async with engine.begin() as connection:
            await erase(connection, lead)
        await tell(engine, lead, captured(lead, HUGE))

        await until_passed(engine, lead, 2)
        assert not await is_held(engine, lead)


async def erase(connection: AsyncConnection, lead: LeadId) -> None:
    await subjects.lock(connection, [lead])
    await outbox.say(connection, [erased(lead)], outbox.Cause(correlation_id=new_id()))
    await erasure.blank(connection, [lead])


async def until_passed(engine: AsyncEngine, lead: LeadId, sequence: int) -> None:
    """Wait until the hearer's position is there."""

    async def passed() -> bool:
        async with engine.connect() as connection:
            last = text("SELECT last_sequence FROM heard WHERE subject = :lead AND topic = :topic")
            values = {"lead": lead, "topic": LEADS}
            return await connection.scalar(last, values) == sequence

    await until(passed)
