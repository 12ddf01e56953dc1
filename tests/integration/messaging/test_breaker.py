"""A handler that fails on everything stops its consumer, and nobody pays but the first twenty."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.conftest import LEADS, Tally, TallyDesk, delivery, erased, heard_of
from tests.integration.messaging.loops import a_consumer, a_relay, running, say
from tests.integration.messaging.test_consuming import mend, parked
from tests.stack.waiting import until

from shared.contracts.catalogue import PARTITIONS
from shared.ids import LeadId, new_id
from shared.kafka.topics import physical
from shared.messaging.breaker import Breaker, BreakerOpen
from shared.messaging.consumer import Consumer
from shared.messaging.narrowing import Narrowing
from shared.messaging.records import Delivery
from shared.operations import breakers
from shared.settings import KafkaSettings
from shared.telemetry import metrics

Consuming = Narrowing[TallyDesk]


def bad(count: int) -> list[Delivery]:
    return [delivery(LeadId(new_id()), 1, "poison") for _ in range(count)]


def good(count: int) -> list[Delivery]:
    return [delivery(LeadId(new_id()), 1) for _ in range(count)]


def mixed(count: int, *, bad_in: int) -> list[Delivery]:
    """Return events of which each `bad_in`th cannot be heard."""
    return [(bad(1) if n % bad_in == 0 else good(1))[0] for n in range(1, count + 1)]


async def parked_of(engine: AsyncEngine, deliveries: Sequence[Delivery]) -> int:
    return sum([bool(await parked(engine, d.envelope.subject)) for d in deliveries])


def another(narrowing: Consuming, engine: AsyncEngine, version: str = "1") -> Consuming:
    """Return another member, or the same one after a restart."""
    return Narrowing(engine, narrowing.batch, Breaker("tally", version))


async def in_turn(
    members: Sequence[Consuming], deliveries: Sequence[Delivery], *, at_once: int
) -> None:
    """Let the members take batches by turns."""
    for number in range(len(deliveries) // at_once):
        batch = deliveries[number * at_once : (number + 1) * at_once]
        await members[number % len(members)].see_through(batch, cautious=False)


class TestInARow:
    async def test_a_handler_that_fails_on_everything_stops_after_twenty_leads(
        self, narrowing: Consuming, engine: AsyncEngine
    ) -> None:
        some = bad(60)

        with pytest.raises(BreakerOpen):
            await narrowing.see_through(some, cautious=False)

        assert await parked_of(engine, some) == 20
        assert await parked_of(engine, some[:20]) == 20

    async def test_the_lead_after_the_last_one_is_not_even_tried(
        self, narrowing: Consuming, engine: AsyncEngine
    ) -> None:
        some = bad(60)
        with pytest.raises(BreakerOpen):
            await narrowing.see_through(some, cautious=False)

        async with engine.connect() as connection:
            ids = [each.envelope.event_id for each in some]
            tried = await connection.scalar(
                text("SELECT count(*) FROM attempt WHERE event_id = ANY(:ids)"), {"ids": ids}
            )
        assert tried == 0

    async def test_it_counts_over_batches_that_hold_one_event_each(
        self, narrowing: Consuming
    ) -> None:
        some = bad(20)
        for each in some[:19]:
            await narrowing.see_through([each], cautious=False)

        with pytest.raises(BreakerOpen):
            await narrowing.see_through([some[19]], cautious=False)

    async def test_what_waits_behind_or_came_twice_went_not_well(
        self, narrowing: Consuming
    ) -> None:
        known = good(1)
        await narrowing.see_through(known, cautious=False)
        some = bad(20)
        for each in some[:19]:
            follower = delivery(each.envelope.subject, 2)
            await narrowing.see_through([each], cautious=False)
            await narrowing.see_through([follower, *known], cautious=False)

        with pytest.raises(BreakerOpen):
            await narrowing.see_through([some[19]], cautious=False)

    async def test_an_event_that_nobody_here_listens_to_went_not_well(
        self, narrowing: Consuming
    ) -> None:
        some = bad(20)
        for each in some[:19]:
            ignored = delivery(LeadId(new_id()), 1, event=erased(LeadId(new_id())))
            await narrowing.see_through([each, ignored], cautious=False)

        with pytest.raises(BreakerOpen):
            await narrowing.see_through([some[19]], cautious=False)

    async def test_members_that_share_the_stream_share_the_count(
        self, narrowing: Consuming, engine: AsyncEngine
    ) -> None:
        members, some = [narrowing, another(narrowing, engine)], bad(40)
        with pytest.raises(BreakerOpen):
            await in_turn(members, some, at_once=1)

        assert await parked_of(engine, some) == 20

    async def test_what_one_member_opened_stops_the_other_before_it_parks_a_lead(
        self, narrowing: Consuming, engine: AsyncEngine
    ) -> None:
        other, some = another(narrowing, engine), bad(21)
        with pytest.raises(BreakerOpen):
            await narrowing.see_through(some[:20], cautious=False)

        with pytest.raises(BreakerOpen):
            await other.see_through(some[20:], cautious=False)
        assert await parked_of(engine, some[20:]) == 0

    async def test_a_lead_that_was_spared_is_tried_by_the_code_that_follows(
        self, narrowing: Consuming, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other, some = another(narrowing, engine), bad(21)
        for member, events in ((narrowing, some[:20]), (other, some[20:])):
            with pytest.raises(BreakerOpen):
                await member.see_through(events, cautious=False)
        mend(monkeypatch)
        await another(narrowing, engine, "2").see_through(some[20:], cautious=True)

        assert await heard_of(engine, some[20].envelope.subject) == ["POISON"]


class TestShare:
    async def test_a_batch_with_one_in_twenty_one_does_not_open_it(
        self, narrowing: Consuming, engine: AsyncEngine
    ) -> None:
        for _ in range(3):
            await narrowing.see_through(mixed(500, bad_in=21), cautious=False)

        await another(narrowing, engine).breaker.check(engine)

    async def test_one_in_fifteen_opens_it_within_a_thousand_events_of_two_members(
        self, narrowing: Consuming, engine: AsyncEngine
    ) -> None:
        members, some = [narrowing, another(narrowing, engine)], mixed(1200, bad_in=15)
        with pytest.raises(BreakerOpen):
            await in_turn(members, some, at_once=50)

        assert await parked_of(engine, some) == 51

    async def test_one_lead_in_a_hundred_does_not_open_it(
        self, narrowing: Consuming, engine: AsyncEngine
    ) -> None:
        for _ in range(55):
            await narrowing.see_through([*good(99), *bad(1)], cautious=False)

        await another(narrowing, engine).breaker.check(engine)


class TestRestarts:
    async def test_it_stays_open_after_a_restart_until_other_code_runs(
        self, narrowing: Consuming, engine: AsyncEngine
    ) -> None:
        with pytest.raises(BreakerOpen):
            await narrowing.see_through(bad(25), cautious=False)

        with pytest.raises(BreakerOpen):
            await another(narrowing, engine).breaker.check(engine)
        await another(narrowing, engine, "2").breaker.check(engine)

    async def test_code_that_failed_stays_stopped_while_other_code_runs_beside_it(
        self, narrowing: Consuming, engine: AsyncEngine
    ) -> None:
        with pytest.raises(BreakerOpen):
            await narrowing.see_through(bad(20), cautious=False)
        await another(narrowing, engine, "2").breaker.check(engine)

        with pytest.raises(BreakerOpen):
            await narrowing.breaker.check(engine)

    async def test_what_went_well_is_known_after_a_restart(
        self, narrowing: Consuming, engine: AsyncEngine
    ) -> None:
        await narrowing.see_through(bad(19), cautious=False)
        await narrowing.see_through(good(1), cautious=False)
        await narrowing.breaker.check(engine)
        again = another(narrowing, engine)
        await again.see_through(bad(19), cautious=False)

        await again.breaker.check(engine)

    async def test_its_reason_outlives_an_erasure_and_so_quotes_nothing(
        self, narrowing: Consuming, engine: AsyncEngine
    ) -> None:
        some = [delivery(LeadId(new_id()), 1, "unstorable") for _ in range(20)]

        with pytest.raises(BreakerOpen):
            await narrowing.see_through(some, cautious=False)
        async with engine.connect() as connection:
            reason = await connection.scalar(text("SELECT reason FROM breaker"))
            assert reason == "lead.captured: IntegrityError"


class TestOnKafka:
    @pytest.fixture
    async def leads(
        self, narrowing: Consuming, engine: AsyncEngine, kafka_settings: KafkaSettings
    ) -> list[LeadId]:
        """Thirty leads on Kafka, of which none can be heard."""
        del narrowing  # it closes the breaker
        leads = [LeadId(new_id()) for _ in range(30)]
        await asyncio.gather(*(say(engine, lead, "poison") for lead in leads))
        async with running(a_relay(engine, kafka_settings)):
            await until(lambda: _is_sent(engine))
        return leads

    async def test_it_stops_the_consumer_across_restarts_until_somebody_closes_it(
        self, engine: AsyncEngine, kafka_settings: KafkaSettings, tally: Tally,
        leads: list[LeadId], monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        began = await _read_up_to(kafka_settings)
        for _ in range(2):
            consumer = a_consumer(engine, kafka_settings, tally)
            async with running(consumer):
                await until(lambda held=consumer: _is_held(held))
                assert metrics.BREAKER_OPEN.collect()[0].samples[0].value == 1
                assert await _parked_among(engine, leads) == 20
        assert await _read_up_to(kafka_settings) - began <= 20

        mend(monkeypatch)
        consumer = a_consumer(engine, kafka_settings, tally)
        async with running(consumer):
            await until(lambda: _is_held(consumer))
            await breakers.close(engine, actor="night shift")
            await until(lambda: _heard_among(engine, leads, 10), seconds=10)

        assert consumer.heartbeat.held is None
        assert await _parked_among(engine, leads) == 20

    async def test_other_code_goes_on_by_itself(
        self, engine: AsyncEngine, kafka_settings: KafkaSettings, tally: Tally,
        leads: list[LeadId], monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        consumer = a_consumer(engine, kafka_settings, tally)
        async with running(consumer):
            await until(lambda: _is_held(consumer))
        mend(monkeypatch)
        mended = a_consumer(engine, kafka_settings, tally)
        mended.version = "2"
        async with running(mended):
            await until(lambda: _heard_among(engine, leads, 10))

        assert await _parked_among(engine, leads) == 20


async def _is_held(consumer: Consumer) -> bool:
    return consumer.heartbeat.held == "breaker"


async def _is_sent(engine: AsyncEngine) -> bool:
    return await _count(engine, "SELECT count(*) FROM outbox", []) == 0


async def _parked_among(engine: AsyncEngine, leads: Sequence[UUID]) -> int:
    return await _count(
        engine, "SELECT count(*) FROM parked_event WHERE subject = ANY(:leads)", leads
    )


async def _heard_among(engine: AsyncEngine, leads: Sequence[UUID], wanted: int) -> bool:
    sql = "SELECT count(*) FROM tally WHERE lead_id = ANY(:leads)"
    return await _count(engine, sql, leads) == wanted


async def _count(engine: AsyncEngine, sql: str, leads: Sequence[UUID]) -> int:
    async with engine.connect() as connection:
        values = {"leads": list(leads)} if ":leads" in sql else {}
        return await connection.scalar(text(sql), values) or 0


async def _read_up_to(settings: KafkaSettings) -> int:
    """Return how many records of the topic the group has behind it."""
    reader = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap, group_id=f"{settings.topic_prefix}tally",
        enable_auto_commit=False,
    )  # fmt: skip
    await reader.start()
    places = [TopicPartition(physical(settings, LEADS), number) for number in range(PARTITIONS)]
    committed = [await reader.committed(place) or 0 for place in places]
    await reader.stop()
    return sum(committed)
