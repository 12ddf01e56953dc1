"""What is handed over together stays together, also where a topic is new to the producer."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.conftest import LEADS, captured
from tests.integration.messaging.test_held import HUGE, LIMIT, take_at_most, tell
from tests.stack.waiting import until

from shared.contracts.lead import TouchpointRecorded
from shared.ids import LeadId, new_id
from shared.kafka import client
from shared.kafka.errors import KafkaError
from shared.kafka.topics import physical
from shared.messaging.relay import READ
from shared.messaging.sending import Acked, Sending, answers
from shared.settings import KafkaSettings


async def said(engine: AsyncEngine) -> Sequence[Row[Any]]:
    """Say of a lead what Kafka does not take, something on another topic, and something else."""
    lead = LeadId(new_id())
    first = captured(lead, HUGE)
    visit = TouchpointRecorded(lead_id=lead, lead_version=2, touchpoint=first.touchpoint)
    await tell(engine, lead, first, visit, captured(lead, "2"))
    async with engine.connect() as connection:
        return await READ.rows(connection, most=3)


async def a_producer_that_knows(topic: str, settings: KafkaSettings) -> Any:
    producer: Any = client.producer(settings)
    await client.start(producer)
    await producer.client.set_topics([topic])
    return producer


async def is_refused(producer: Any, topic: str) -> bool:
    """Tell whether the limit is in force by now."""
    try:
        await (await producer.send(topic, HUGE.encode(), key=b"any", headers=[]))
    except KafkaError:
        return True
    return False


async def test_nothing_overtakes_what_is_refused_while_a_topic_is_asked_for(
    engine: AsyncEngine, kafka_settings: KafkaSettings
) -> None:
    await take_at_most(kafka_settings, LIMIT)
    rows, acked = await said(engine), Acked()
    producer = await a_producer_that_knows(physical(kafka_settings, LEADS), kafka_settings)
    try:
        await until(lambda: is_refused(producer, physical(kafka_settings, LEADS)))
        sending = Sending(kafka_settings, "marketing-intake")
        sent, refused = await sending.hand_over(producer, rows)
        failed = await answers(sent, acked)
    finally:
        await client.stop(producer)

    assert refused is None
    assert failed is not None
    assert [row.type for row in rows if row.id in acked] == ["touchpoint.recorded.v1"]
