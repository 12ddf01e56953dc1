"""The worker as it runs: a process on real Kafka that is killed and started again."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest
from aiokafka import AIOKafkaConsumer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.conftest import HOUR, Deal
from tests.stack.feeder import Feeder, feeding
from tests.stack.process import Process
from tests.stack.services import environment, service
from tests.stack.waiting import until

from shared.contracts.event import Event
from shared.kafka.topics import physical
from shared.settings import KafkaSettings

TASKS = "handoff.tasks.v1"
SECONDS = timedelta(seconds=1)


@dataclass
class Topics:
    """Kafka, seen from outside: what others say there, and what the notifier says."""

    feeder: Feeder
    heard: dict[UUID, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))

    async def say(self, event: Event, *, times: int = 1) -> None:
        """Say an event, as often as a producer that was cut off might."""
        await self.feeder.send([self.feeder.next(event)] * times)

    async def listen(self, consumer: AIOKafkaConsumer) -> None:
        """Write down what the notifier says, per lead and in order."""
        async for record in consumer:
            headers = dict(record.headers)
            told = int(headers["ce_sequence"]), headers["ce_type"].decode()
            lead = UUID(json.loads(record.value)["lead_id"])
            if told not in self.heard[lead]:
                self.heard[lead].append(told)

    async def wait_for(self, deal: Deal, *kinds: str) -> None:
        """Wait until so much was said of a deal's lead, in this order."""
        expected = [(number, f"{kind}.v1") for number, kind in enumerate(kinds, start=1)]

        async def is_said() -> bool:
            return self.heard[deal.lead_id] == expected

        try:
            await until(is_said, seconds=40)
        except TimeoutError:
            assert self.heard[deal.lead_id] == expected


@pytest.fixture(scope="module")
async def worker(
    database_url: str, kafka_settings: KafkaSettings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Process]:
    told = environment(database_url, kafka_settings, "notifier-worker-0")
    worker = service(told, tmp_path_factory.mktemp("worker") / "log", "notifier.worker")
    worker.start()
    yield worker
    assert await worker.stop() == 0


@pytest.fixture(scope="module")
async def topics(kafka_settings: KafkaSettings) -> AsyncGenerator[Topics]:
    consumer = AIOKafkaConsumer(
        physical(kafka_settings, TASKS),
        bootstrap_servers=kafka_settings.kafka_bootstrap,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    async with feeding(kafka_settings) as feeder:
        topics = Topics(feeder)
        listening = asyncio.create_task(topics.listen(consumer))
        yield topics
        listening.cancel()
    await consumer.stop()


async def count_of(engine: AsyncEngine, deal: Deal) -> int:
    async with engine.connect() as connection:
        return await connection.scalar(
            text("SELECT count(*) FROM task WHERE lead_id = :id"), {"id": deal.lead_id}
        )


class TestTheWorker:
    @pytest.mark.usefixtures("worker")
    async def test_makes_one_task_of_an_event_that_comes_three_times(
        self, topics: Topics, engine: AsyncEngine
    ) -> None:
        deal = Deal()
        await topics.say(deal.opened(), times=3)
        await topics.say(deal.lost())
        await topics.wait_for(deal, "task.created", "task.created")

        assert await count_of(engine, deal) == 2

    async def test_killed_before_a_task_is_due_says_so_once_when_it_runs_again(
        self, worker: Process, topics: Topics
    ) -> None:
        deal = Deal()
        await topics.say(deal.opened(ago=HOUR - 5 * SECONDS))
        await topics.wait_for(deal, "task.created")
        await worker.die()
        worker.start()
        await topics.wait_for(deal, "task.created", "task.due")
        await worker.die()
        worker.start()
        control = Deal()
        await topics.say(control.opened(ago=3 * HOUR))
        await topics.wait_for(control, "task.created", "task.due", "task.overdue")

        assert len(topics.heard[deal.lead_id]) == 2

    async def test_hears_what_was_said_while_it_was_away(
        self, worker: Process, topics: Topics, engine: AsyncEngine
    ) -> None:
        deal = Deal()
        await worker.die()
        await topics.say(deal.opened())
        await topics.say(deal.won())
        worker.start()
        await topics.wait_for(deal, "task.created", "task.created", "task.created")

        assert await count_of(engine, deal) == 3
