"""How far a consumer is, its group knows soon: when nothing more comes, and at the end."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.conftest import LEADS, Tally, heard_of
from tests.integration.messaging.loops import a_consumer, a_relay, running, say
from tests.stack.waiting import until

from shared.ids import LeadId, new_id
from shared.kafka import lag
from shared.messaging import offsets
from shared.messaging.consumer import Consumer
from shared.settings import KafkaSettings


async def _behind(settings: KafkaSettings) -> int:
    """Return how many records the group has before it, as the brokers know."""
    places = await lag.of_group(settings, group="tally", topics=[LEADS])
    return sum(place.lag for place in places.values())


async def _level(settings: KafkaSettings) -> bool:
    return await _behind(settings) == 0


async def _has_heard(engine: AsyncEngine, lead: LeadId, events: int) -> bool:
    return len(await heard_of(engine, lead)) == events


@pytest.fixture
def consumer(engine: AsyncEngine, kafka_settings: KafkaSettings, tally: Tally) -> Consumer:
    return a_consumer(engine, kafka_settings, tally)


async def test_it_tells_its_group_once_nothing_more_comes(
    engine: AsyncEngine, kafka_settings: KafkaSettings, consumer: Consumer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(offsets, "_EVERY_SECONDS", 2.0)
    lead = LeadId(new_id())
    async with running(a_relay(engine, kafka_settings), consumer):
        await say(engine, lead, "1")
        await until(lambda: _has_heard(engine, lead, 1))

        await until(lambda: _level(kafka_settings), seconds=6)


async def test_it_tells_it_seldom_and_at_its_end(
    engine: AsyncEngine, kafka_settings: KafkaSettings, consumer: Consumer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(offsets, "_EVERY_SECONDS", 3600.0)
    lead = LeadId(new_id())
    async with running(a_relay(engine, kafka_settings), consumer):
        for times, company in enumerate(("1", "2"), start=1):
            await say(engine, lead, company)
            await until(lambda heard=times: _has_heard(engine, lead, heard))
        assert await _behind(kafka_settings) == 2

    assert await _level(kafka_settings)
