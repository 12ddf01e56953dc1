"""A worker that is killed in the middle of a replay: the next one finishes it, nothing twice."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.conftest import captured
from tests.integration.messaging.loops import say
from tests.integration.replay.conftest import (
    LEADS,
    go_back,
    goes_on,
    in_kafka,
    lose_records,
    publish,
    some,
)
from tests.stack.databases import opened
from tests.stack.feeder import feeding
from tests.stack.fixtures import DatabaseFor
from tests.stack.process import Process
from tests.stack.services import environment, running, service
from tests.stack.waiting import until

from shared.clock import utc_now
from shared.contracts.catalogue import INTAKE
from shared.ids import LeadId
from shared.messaging import foreign
from shared.messaging.replay import orders
from shared.messaging.replay.orders import Wanted
from shared.settings import KafkaSettings


def a_worker(package: str, url: str, kafka: KafkaSettings, log: Path, **settings: str) -> Process:
    """Return a service's worker that does nothing but replay."""
    told = environment(url, kafka, "a-worker", **settings)
    return service(told, log, f"{package}.worker", "--only", "replays")


async def dies(worker: Process) -> bool:
    """Tell whether a worker came to the place where it is to die."""
    worker.start()
    try:
        await worker.died(1, within=40)
        return worker.kills == 1
    finally:
        await worker.die()


async def finished(engine: AsyncEngine, order_id: UUID, worker: Process) -> Row[Any]:
    """Let a worker finish the order; return its row."""

    async def row() -> Row[Any] | None:
        async with engine.connect() as connection:
            found = await orders.look(connection, order_id)
        return found if found and found.done_at else None

    async with running(worker):
        await until(row, seconds=40)
    found = await row()
    assert found is not None
    return found


async def ask(engine: AsyncEngine, verb: orders.Verb) -> UUID:
    since = None if verb == "restore" else utc_now() - timedelta(hours=1)
    async with engine.begin() as connection:
        wanted = Wanted(verb=verb, topics=(LEADS,), dry_run=False, since=since)
        return (await orders.ask(connection, wanted, actor="a test")).id


async def put_into_kafka(settings: KafkaSettings, leads: Sequence[LeadId]) -> None:
    """Say that each lead came, as marketing-intake would."""
    async with feeding(settings) as feeder:
        await feeder.say(*(captured(lead, "ACME") for lead in leads))


async def test_a_heal_is_finished_by_the_next_worker_and_every_lead_is_scored_once(
    database_for: DatabaseFor, kafka_settings: KafkaSettings, tmp_path: Path
) -> None:
    leads = some(600)
    await lose_records(kafka_settings)
    await put_into_kafka(kafka_settings, leads)
    url = await database_for("lead_scoring")
    async with opened(url) as engine:
        order_id = await ask(engine, "heal")
        places = ["replay.after_batch:2", "consumer.before_commit:2", "replay.after_batch:3"]
        worker = partial(a_worker, "lead_scoring", url, kafka_settings, tmp_path / "log")
        died = [await dies(worker(crash_at=place)) for place in places]
        order = await finished(engine, order_id, worker())
        async with engine.connect() as connection:
            scored = await connection.scalar(text("SELECT count(*) FROM lead_score"))
            said = await connection.scalar(
                text("SELECT count(*) FROM outbox WHERE type = 'lead.scored.v1'")
            )

    assert died == [True] * 3
    assert order.error is None
    assert (scored, said) == (600, 600)


async def test_a_republish_is_finished_by_the_next_worker_and_the_order_of_each_lead_is_kept(
    database_for: DatabaseFor, kafka_settings: KafkaSettings, tmp_path: Path
) -> None:
    leads = some(300)
    await lose_records(kafka_settings)
    url = await database_for("marketing_intake")
    async with opened(url) as engine:
        await publish(engine, kafka_settings, leads, "1", "2", "3")
        order_id = await ask(engine, "republish")
        places = ["replay.after_send:2", "replay.after_send:2"]
        worker = partial(a_worker, "marketing_intake", url, kafka_settings, tmp_path / "log")
        died = [await dies(worker(crash_at=place)) for place in places]
        order = await finished(engine, order_id, worker())
    found = await in_kafka(kafka_settings, leads)

    assert died == [True] * 2
    assert order.error is None
    for lead in leads:
        again = [each.sequence for each in found[lead][3:]]
        assert list(dict.fromkeys(again)) == [1, 2, 3]
        assert len({each.event_id for each in found[lead]}) == 3


async def test_a_restore_is_finished_by_the_next_worker_and_no_lead_is_short_of_a_word(
    database_for: DatabaseFor, kafka_settings: KafkaSettings, tmp_path: Path
) -> None:
    leads = some(300)
    await lose_records(kafka_settings)
    url = await database_for("marketing_intake")
    async with opened(url) as engine:
        await publish(engine, kafka_settings, leads, "1", "2", "3")
        await go_back(engine, leads, said=1, topic=LEADS)
        for lead in leads[:20]:
            await say(engine, lead, "since")
        order_id = await ask(engine, "restore")
        places = ["replay.before_commit:2", "replay.after_batch:2", "replay.before_commit:1"]
        worker = partial(a_worker, "marketing_intake", url, kafka_settings, tmp_path / "log")
        died = [await dies(worker(crash_at=place, lease_seconds="2")) for place in places]
        refused = await foreign.records(engine, kafka_settings, INTAKE)
        order = await finished(engine, order_id, worker())
        unknown = await foreign.records(engine, kafka_settings, INTAKE)
        await goes_on(engine, kafka_settings)
    found = await in_kafka(kafka_settings, leads)

    assert died == [True] * 3
    assert order.error is None
    assert (bool(refused), unknown) == (True, [])
    numbers = [[each.sequence for each in some_of] for some_of in found.values()]
    assert numbers == [[1, 2, 3, 4]] * 20 + [[1, 2, 3]] * 280
