"""A record that is no event is kept aside and counted, and holds nobody up."""

from uuid import UUID

from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.conftest import LEADS, Tally, heard_of
from tests.integration.messaging.loops import a_consumer, a_relay, nothing_waits, running, say
from tests.stack.waiting import until

from shared.ids import LeadId, new_id
from shared.kafka import client
from shared.kafka.topics import physical
from shared.messaging.janitor import Janitor
from shared.settings import KafkaSettings
from shared.telemetry.heartbeat import Heartbeat

GARBAGE = b"no event of ours"


async def write_garbage(settings: KafkaSettings, *, key: UUID) -> None:
    """Write what has no envelope where this lead's events lie."""
    producer = client.producer(settings)
    await client.start(producer)
    topic = physical(settings, LEADS)
    await (await producer.send(topic, GARBAGE, key=str(key).encode(), headers=[]))
    await client.stop(producer)


async def kept_aside(engine: AsyncEngine) -> list[bytes]:
    async with engine.connect() as connection:
        return list(await connection.scalars(text("SELECT value FROM unreadable_record")))


async def counted(engine: AsyncEngine) -> float | None:
    await Janitor(engine, (), Heartbeat("janitor")).measure()
    return REGISTRY.get_sample_value("handoff_unreadable_records")


async def test_a_record_without_an_envelope_lets_the_leads_around_it_pass(
    engine: AsyncEngine, kafka_settings: KafkaSettings, tally: Tally
) -> None:
    before, after = LeadId(new_id()), LeadId(new_id())

    async def all_heard() -> bool:
        return [await heard_of(engine, lead) for lead in (before, after)] == [["1", "2"], ["1"]]

    async with running(a_relay(engine, kafka_settings)):
        await say(engine, before, "1")
        await until(lambda: nothing_waits(engine))
        await write_garbage(kafka_settings, key=before)
        await say(engine, before, "2")
        await say(engine, after, "1")
        async with running(a_consumer(engine, kafka_settings, tally)):
            await until(all_heard)

    assert await kept_aside(engine) == [GARBAGE]
    assert await counted(engine) == 1
