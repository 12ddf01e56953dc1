"""What is committed in the outbox reaches Kafka in its order, and its hearers once."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.conftest import Tally, heard_of
from tests.integration.messaging.loops import a_consumer, a_relay, running, say
from tests.stack.waiting import until

from shared.ids import LeadId, new_id
from shared.messaging import relay
from shared.settings import KafkaSettings


async def archived(engine: AsyncEngine, leads: Sequence[LeadId]) -> int:
    """Count what was said of leads and acknowledged by Kafka."""
    acked = text("""
        SELECT count(*) FROM outbox_archive WHERE partition IS NOT NULL
        AND type = 'lead.captured.v1' AND subject = ANY(CAST(:leads AS uuid[]))
    """)
    async with engine.connect() as connection:
        return await connection.scalar(acked, {"leads": list(leads)}) or 0


async def test_what_is_committed_is_heard_once_and_in_order(
    engine: AsyncEngine, kafka_settings: KafkaSettings, tally: Tally
) -> None:
    leads = [LeadId(new_id()) for _ in range(40)]
    for company in ("1", "2", "3"):
        await asyncio.gather(*(say(engine, lead, company) for lead in leads))

    async with running(a_relay(engine, kafka_settings), a_consumer(engine, kafka_settings, tally)):

        async def all_heard() -> bool:
            return all([len(await heard_of(engine, lead)) == 3 for lead in leads])

        async def all_archived() -> bool:
            return await archived(engine, leads) == 120

        await until(all_heard)
        await until(all_archived)

    assert [await heard_of(engine, lead) for lead in leads] == [["1", "2", "3"]] * 40
    assert await archived(engine, leads) == 120


async def test_two_relays_on_one_database_send_nothing_twice_in_effect(
    engine: AsyncEngine, kafka_settings: KafkaSettings, tally: Tally
) -> None:
    lead = LeadId(new_id())
    relays = [a_relay(engine, kafka_settings, owner) for owner in ("one", "two")]
    async with running(*relays, a_consumer(engine, kafka_settings, tally)):
        for number in range(20):
            await say(engine, lead, str(number))

        async def all_heard() -> bool:
            return len(await heard_of(engine, lead)) >= 20

        await until(all_heard)

    assert await heard_of(engine, lead) == [str(number) for number in range(20)]


async def test_a_relay_that_sleeps_is_woken_by_what_its_process_says(
    engine: AsyncEngine, kafka_settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "_LONGEST_SLEEP", 60.0)
    first, second = LeadId(new_id()), LeadId(new_id())
    sleeper = a_relay(engine, kafka_settings)
    await say(engine, first, "1")
    async with running(sleeper):

        async def sleeps() -> bool:
            quiet = sleeper.heartbeat.seconds_since_progress() > 1
            return quiet and await archived(engine, [first]) == 1

        async def sent() -> bool:
            return await archived(engine, [second]) == 1

        await until(sleeps)
        await say(engine, second, "1")
        sleeper.said.set()
        await until(sent)


async def test_a_consumer_tells_the_relay_beside_it_of_each_batch(
    engine: AsyncEngine, kafka_settings: KafkaSettings, tally: Tally
) -> None:
    lead, beside = LeadId(new_id()), a_relay(engine, kafka_settings)
    consumer = a_consumer(engine, kafka_settings, tally)
    await say(engine, lead, "1")
    async with running(beside, consumer):

        async def heard() -> bool:
            return await heard_of(engine, lead) == ["1"]

        await until(heard)
        await asyncio.wait_for(consumer.said.wait(), timeout=5)
