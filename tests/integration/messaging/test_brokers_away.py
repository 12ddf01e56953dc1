"""Brokers that freeze, die and come back cost time, never an event or its place."""

import asyncio
from collections.abc import Generator
from typing import Self

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.conftest import Tally, heard_of
from tests.integration.messaging.loops import a_consumer, a_relay, nothing_waits, say
from tests.stack.leftovers import LEFTOVERS, sweep_up
from tests.stack.nodes import Node
from tests.stack.waiting import until

from shared import limits
from shared.ids import LeadId, new_id
from shared.kafka import topics
from shared.messaging import loops
from shared.messaging.loops import Loop, StartAgain
from shared.messaging.relay import BrokersAway, Relay
from shared.settings import KafkaSettings
from shared.telemetry.heartbeat import Heartbeats

pytestmark = LEFTOVERS
KILLS = 3
AT_REST_SECONDS = 1.5


@pytest.fixture(scope="module")
async def settings(own: Node) -> KafkaSettings:
    settings = KafkaSettings(
        kafka_bootstrap=own.kafka.bootstrap, kafka_replication=1, instance="a-test",
        session_seconds=6, ack_seconds=3, stuck_seconds=6,
    )  # fmt: skip
    await topics.apply(settings)
    return settings


@pytest.fixture(autouse=True)
def less_patience(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    for name in ("KAFKA_STOP", "KAFKA_COMMIT", "KAFKA_POLL"):
        monkeypatch.setattr(limits, name, 1.5)
    yield
    sweep_up()


class Keeping:
    """Runs loops as a worker does; a process that is to start again is here a new run."""

    def __init__(self, **some: Loop) -> None:
        self.starts = 0
        self._loops = some
        self._stop = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over = True
        self._stop.set()
        await self._task

    async def _keep(self) -> None:
        self._over = False
        while not self._over:
            self.starts += 1
            self._stop = asyncio.Event()
            try:
                await loops.run(self._loops, Heartbeats(), self._stop)
            except StartAgain:
                continue


async def until_heard(engine: AsyncEngine, lead: LeadId, *companies: str) -> None:
    async def heard() -> bool:
        return await heard_of(engine, lead) == list(companies)

    await until(heard, seconds=60.0)


async def until_acked(relay: Relay) -> None:
    async def acked() -> bool:
        return relay.acked_at > 0

    await until(acked)


async def until_at_rest(engine: AsyncEngine) -> None:
    """Wait until all is sent, and so long ago that the last ack is no longer answer enough."""

    async def sent() -> bool:
        return await nothing_waits(engine)

    await until(sent)
    await asyncio.sleep(AT_REST_SECONDS)  # the relay notes the ack after it has archived


async def test_a_broker_that_is_killed_again_and_again_loses_and_doubles_nothing(
    engine: AsyncEngine, own: Node, settings: KafkaSettings, tally: Tally
) -> None:
    lead = LeadId(new_id())
    relay, consumer = a_relay(engine, settings), a_consumer(engine, settings, tally)
    async with Keeping(relay=relay.run, consume=consumer.run):
        for number in range(KILLS):
            await say(engine, lead, f"{number}a")
            await own.kill()
            await own.start()
            await say(engine, lead, f"{number}b")
        await until_heard(engine, lead, *(f"{n}{part}" for n in range(KILLS) for part in "ab"))


async def test_a_record_without_an_ack_asks_for_a_new_process_and_keeps_its_place(
    engine: AsyncEngine, own: Node, settings: KafkaSettings, tally: Tally
) -> None:
    lead = LeadId(new_id())
    relay = a_relay(engine, settings)
    stop = asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    await say(engine, lead, "1")
    await until_acked(relay)
    with own.process.frozen():
        await say(engine, lead, "2", "3")
        async with asyncio.timeout(settings.ack_seconds + 10):
            await asyncio.wait({task})
        ended = task.exception()

    assert isinstance(ended, StartAgain)
    consumer = a_consumer(engine, settings, tally)
    async with Keeping(relay=a_relay(engine, settings).run, consume=consumer.run):
        await until_heard(engine, lead, "1", "2", "3")


async def test_a_frozen_broker_holds_the_relay_and_restarts_nobody(
    engine: AsyncEngine, own: Node, settings: KafkaSettings, tally: Tally
) -> None:
    lead = LeadId(new_id())
    relay, consumer = a_relay(engine, settings), a_consumer(engine, settings, tally)
    async with Keeping(relay=relay.run, consume=consumer.run) as keeping:
        await say(engine, lead, "before")
        await until_heard(engine, lead, "before")
        await until_at_rest(engine)
        with own.process.frozen():
            await say(engine, lead, "after")

            async def held() -> bool:
                return relay.heartbeat.held == "infrastructure"

            await until(held)
            await asyncio.sleep(settings.stuck_seconds + 4)
            dead, starts = consumer.heartbeat.is_dead(), keeping.starts
        await until_heard(engine, lead, "before", "after")

    assert (dead, starts) == (False, 1)


async def test_brokers_that_stay_away_are_looked_for_anew(
    engine: AsyncEngine, own: Node, settings: KafkaSettings
) -> None:
    relay = a_relay(engine, settings)
    task = asyncio.create_task(relay.run(asyncio.Event()))

    async def turns() -> bool:
        return relay.heartbeat.held is None and relay.lease.epoch is not None

    await until(turns)
    await until_at_rest(engine)
    with own.process.frozen():
        await say(engine, LeadId(new_id()), "waits")
        async with asyncio.timeout(settings.ack_seconds + 15):
            await asyncio.wait({task})

    assert isinstance(task.exception(), BrokersAway)
