"""How far a consumer is, its group knows soon: when nothing more comes, and at the end."""

from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.conftest import LEADS, Tally, heard_of
from tests.integration.messaging.loops import a_consumer, a_relay, running, say
from tests.stack.waiting import until

from shared.ids import LeadId, new_id
from shared.kafka import lag
from shared.settings import KafkaSettings


async def _behind(settings: KafkaSettings) -> int:
    """Return how many records the group has before it, as the brokers know."""
    places = await lag.of_group(settings, group="tally", topics=[LEADS])
    return sum(place.lag for place in places.values())


async def _level(settings: KafkaSettings) -> bool:
    return await _behind(settings) == 0


async def _has_heard(engine: AsyncEngine, lead: LeadId, events: int) -> bool:
    return len(await heard_of(engine, lead)) == events


async def test_it_is_level_once_nothing_more_comes(
    engine: AsyncEngine, kafka_settings: KafkaSettings, tally: Tally
) -> None:
    lead = LeadId(new_id())
    async with running(a_relay(engine, kafka_settings), a_consumer(engine, kafka_settings, tally)):
        for company in ("1", "2", "3"):
            await say(engine, lead, company)
            await until(lambda: _has_heard(engine, lead, int(company)))  # noqa: B023  awaited here

        await until(lambda: _level(kafka_settings), seconds=5)


async def test_who_is_told_to_stop_leaves_no_offset_behind(
    engine: AsyncEngine, kafka_settings: KafkaSettings, tally: Tally
) -> None:
    lead = LeadId(new_id())
    await say(engine, lead, "1")
    async with running(a_relay(engine, kafka_settings), a_consumer(engine, kafka_settings, tally)):
        await until(lambda: _has_heard(engine, lead, 1))
        await say(engine, lead, "2")
        await until(lambda: _has_heard(engine, lead, 2))

    assert await _level(kafka_settings)
