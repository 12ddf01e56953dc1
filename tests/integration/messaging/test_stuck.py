"""A consumer whose client stands still is begun again; one that waits on purpose is not."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.conftest import LEADS, Tally, heard_of
from tests.integration.messaging.loops import a_consumer, a_relay, running, say
from tests.stack.leftovers import LEFTOVERS, sweep_up
from tests.stack.waiting import until

from shared import limits
from shared.ids import LeadId, new_id
from shared.kafka import client
from shared.messaging import loops
from shared.messaging.breaker import Breaker, BreakerOpen
from shared.messaging.consumer import Consumer
from shared.messaging.loops import StartAgain
from shared.settings import KafkaSettings
from shared.telemetry.heartbeat import Heartbeats

pytestmark = LEFTOVERS
STUCK_SECONDS = 2.0
NOTICED_WITHIN = 20.0
LAST_FETCH = 1.5


@pytest.fixture(autouse=True)
def swept() -> Generator[None]:
    yield
    sweep_up()


@pytest.fixture
def settings(kafka_settings: KafkaSettings) -> KafkaSettings:
    return kafka_settings.model_copy(update={"stuck_seconds": STUCK_SECONDS})


@pytest.fixture
def members(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    return noting(monkeypatch, "consumer")


def noting(monkeypatch: pytest.MonkeyPatch, kind: str) -> list[Any]:
    """Note the library's own clients, so that a test can break them inside."""
    made: list[Any] = []
    make = getattr(client, kind)

    def noted(*args: Any, **options: Any) -> Any:
        made.append(make(*args, **options))
        return made[-1]

    monkeypatch.setattr(client, kind, noted)
    return made


@asynccontextmanager
async def consuming(consumer: Consumer) -> AsyncGenerator[asyncio.Task[None]]:
    stop = asyncio.Event()
    task = asyncio.create_task(consumer.run(stop))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait({task})


async def say_and_hear(engine: AsyncEngine, settings: KafkaSettings, lead: LeadId) -> None:
    await say(engine, lead, "1")

    async def heard() -> bool:
        return await heard_of(engine, lead) == ["1"]

    async with running(a_relay(engine, settings)):
        await until(heard)


async def say_unheard(engine: AsyncEngine, settings: KafkaSettings) -> LeadId:
    lead = LeadId(new_id())
    await say(engine, lead, "unheard")
    async with running(a_relay(engine, settings)):
        await until(lambda: _sent(engine))
    return lead


async def _sent(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        return not (await connection.exec_driver_sql("SELECT id FROM outbox")).all()


async def _are(count: int, members: list[Any]) -> bool:
    return len(members) == count


async def ended(task: asyncio.Task[None]) -> BaseException | None:
    async with asyncio.timeout(NOTICED_WITHIN):
        await asyncio.wait({task})
    return task.exception()


async def heard_by_the_next(engine: AsyncEngine, consumer: Consumer, lead: LeadId) -> None:
    async def heard() -> bool:
        return await heard_of(engine, lead) == ["unheard"]

    async with consuming(consumer):
        await until(heard)


async def test_a_client_that_fetches_nothing_though_there_is_work_is_begun_again(
    engine: AsyncEngine, settings: KafkaSettings, tally: Tally, members: list[Any]
) -> None:
    async with consuming(a_consumer(engine, settings, tally)) as task:
        await say_and_hear(engine, settings, LeadId(new_id()))
        members[0].pause(*members[0].assignment())  # behind the consumer's back
        await asyncio.sleep(LAST_FETCH)
        lead = await say_unheard(engine, settings)

        assert isinstance(await ended(task), StartAgain)
    await heard_by_the_next(engine, a_consumer(engine, settings, tally), lead)


def _cancel_its_fetching(member: Any) -> None:
    member._fetcher._fetch_task.cancel()  # noqa: SLF001  the fault is in there


def _fail_its_fetching(member: Any) -> None:
    member._fetcher._proc_fetch_request = _closed  # noqa: SLF001


def _fail_its_learning_who_leads(member: Any) -> None:
    member._client._metadata_update = _closed  # noqa: SLF001


async def _closed(*_: Any, **__: Any) -> None:
    raise RuntimeError("unable to perform operation: the handler is closed")  # as uvloop says it


@pytest.mark.parametrize(
    "end", [_cancel_its_fetching, _fail_its_fetching, _fail_its_learning_who_leads]
)
async def test_a_member_of_whose_tasks_one_ended_is_replaced_at_once(
    engine: AsyncEngine,
    kafka_settings: KafkaSettings,
    tally: Tally,
    members: list[Any],
    end: Callable[[Any], None],
) -> None:
    stop = asyncio.Event()
    consumer = a_consumer(engine, kafka_settings, tally)
    keeping = asyncio.create_task(loops.run({"consume": consumer.run}, Heartbeats(), stop))
    await say_and_hear(engine, kafka_settings, LeadId(new_id()))
    end(members[0])
    began = time.monotonic()
    await say_and_hear(engine, kafka_settings, LeadId(new_id()))  # by the last fetch, or the next
    await until(lambda: _are(2, members))
    took = time.monotonic() - began
    await say_and_hear(engine, kafka_settings, LeadId(new_id()))
    stop.set()
    await keeping

    assert took < kafka_settings.stuck_seconds / 2


async def test_a_producer_that_no_longer_learns_who_leads_is_replaced_before_it_sends(
    engine: AsyncEngine, kafka_settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    producers = noting(monkeypatch, "producer")
    stop = asyncio.Event()
    relay = a_relay(engine, kafka_settings)
    keeping = asyncio.create_task(loops.run({"relay": relay.run}, Heartbeats(), stop))
    await say(engine, LeadId(new_id()), "1")
    await until(lambda: _sent(engine))
    inside = producers[0].client
    inside._metadata_update = _closed  # noqa: SLF001  the fault is in there
    await asyncio.wait({inside._sync_task})  # noqa: SLF001
    await say(engine, LeadId(new_id()), "2")
    await until(lambda: _sent(engine))
    stop.set()
    await keeping

    assert len(producers) == 2


async def test_a_member_whose_offsets_are_no_longer_taken_is_begun_again(
    engine: AsyncEngine, settings: KafkaSettings, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def not_taken(*_: Any) -> None:
        return None

    async with consuming(a_consumer(engine, settings, tally)) as task:
        await say_and_hear(engine, settings, LeadId(new_id()))
        monkeypatch.setattr(client, "commit", not_taken)
        await say_unheard(engine, settings)

        assert isinstance(await ended(task), StartAgain)


async def test_a_member_whose_background_task_was_cancelled_is_begun_again(
    engine: AsyncEngine, settings: KafkaSettings, tally: Tally, members: list[Any]
) -> None:
    stop = asyncio.Event()
    consumer = a_consumer(engine, settings, tally)
    keeping = asyncio.create_task(loops.run({"consume": consumer.run}, Heartbeats(), stop))
    await say_and_hear(engine, settings, LeadId(new_id()))
    members[0]._coordinator._coordination_task.cancel()  # noqa: SLF001  the fault is in there

    await say_and_hear(engine, settings, LeadId(new_id()))
    stop.set()
    await keeping

    assert len(members) == 2


async def test_a_member_that_waits_for_its_group_for_ever_is_begun_again(
    engine: AsyncEngine, settings: KafkaSettings, tally: Tally, members: list[Any]
) -> None:
    patient = settings.model_copy(update={"stuck_seconds": limits.KAFKA_POLL})
    async with consuming(a_consumer(engine, patient, tally)) as task:
        await say_and_hear(engine, settings, LeadId(new_id()))
        members[0]._subscription.begin_reassignment()  # noqa: SLF001  the fault is in there
        await say_unheard(engine, settings)

        assert isinstance(await ended(task), StartAgain)


async def test_a_member_without_partitions_does_not_answer_for_those_of_others(
    engine: AsyncEngine,
    settings: KafkaSettings,
    tally: Tally,
    members: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    consumer = a_consumer(engine, settings, tally)
    async with consuming(consumer) as task:
        await say_and_hear(engine, settings, LeadId(new_id()))
        monkeypatch.setattr(members[0], "assignment", set)
        monkeypatch.setattr(members[0], "getmany", _nothing)
        await say_unheard(engine, settings)
        await asyncio.sleep(3 * STUCK_SECONDS)

        assert not task.done()
        assert consumer.heartbeat.seconds_since_progress() < STUCK_SECONDS


async def _nothing(*_: Any, **__: Any) -> dict[Any, Any]:
    await asyncio.sleep(0.1)
    return {}


async def test_a_consumer_without_work_is_left_alone_and_has_progress(
    engine: AsyncEngine, settings: KafkaSettings, tally: Tally
) -> None:
    consumer = a_consumer(engine, settings, tally)
    async with consuming(consumer) as task:
        await say_and_hear(engine, settings, LeadId(new_id()))
        await asyncio.sleep(2 * STUCK_SECONDS)

        assert not task.done()
        assert consumer.heartbeat.seconds_since_progress() < STUCK_SECONDS
        assert REGISTRY.get_sample_value("handoff_consumer_lag", {"topic": LEADS}) == 0


async def test_a_consumer_that_is_held_is_not_begun_again(
    engine: AsyncEngine, settings: KafkaSettings, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_open(*_: Any) -> None:
        raise BreakerOpen("planted")

    monkeypatch.setattr(Breaker, "check", is_open)
    await say_unheard(engine, settings)
    consumer = a_consumer(engine, settings, tally)
    async with consuming(consumer) as task:
        await until(lambda: _is_held(consumer))
        await asyncio.sleep(3 * STUCK_SECONDS)

        assert not task.done()
        assert consumer.heartbeat.seconds_since_progress() > STUCK_SECONDS


async def _is_held(consumer: Consumer) -> bool:
    return consumer.heartbeat.held == "breaker"
