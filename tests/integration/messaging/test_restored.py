"""A database that was restored is noticed by what Kafka still knows of it.

In a file of its own: it leaves topics behind on which no other relay may go on.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.loops import a_relay, running, say
from tests.stack.waiting import until

from shared.ids import LeadId, new_id
from shared.messaging import foreign
from shared.settings import KafkaSettings


async def _unsent(engine: AsyncEngine) -> int:
    unsent = text("SELECT count(*) FROM outbox WHERE topic = 'handoff.leads.v1'")
    async with engine.connect() as connection:
        return await connection.scalar(unsent) or 0


async def test_a_restored_database_is_noticed_before_anything_is_sent(
    engine: AsyncEngine, kafka_settings: KafkaSettings
) -> None:
    async with running(a_relay(engine, kafka_settings)):
        await say(engine, LeadId(new_id()), "remembered by Kafka")

        async def all_sent() -> bool:
            return await _unsent(engine) == 0

        await until(all_sent)
    before = await foreign.records(engine, kafka_settings, "marketing-intake")
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM outbox_archive"))

    after = await foreign.records(engine, kafka_settings, "marketing-intake")

    assert before == []
    assert after != []
