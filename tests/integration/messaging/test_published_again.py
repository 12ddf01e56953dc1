"""An event that was published again long after it was said is no sign of a restored database."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.loops import a_relay, running, say
from tests.stack.waiting import until

from shared.clock import utc_now
from shared.contracts.catalogue import RETENTION_DAYS
from shared.ids import LeadId, first_id_of, new_id
from shared.messaging import foreign
from shared.settings import KafkaSettings


async def test_what_the_archive_let_go_by_its_age_does_not_hold_the_relay(
    engine: AsyncEngine, kafka_settings: KafkaSettings
) -> None:
    await say(engine, LeadId(new_id()), "of long ago")
    old = first_id_of(utc_now() - timedelta(days=RETENTION_DAYS + 1))
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE outbox SET event_id = :id"), {"id": old})
    async with running(a_relay(engine, kafka_settings)):

        async def sent() -> bool:
            async with engine.connect() as connection:
                return not await connection.scalar(text("SELECT count(*) FROM outbox"))

        await until(sent)
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM outbox_archive"))

    assert await foreign.records(engine, kafka_settings, "marketing-intake") == []
