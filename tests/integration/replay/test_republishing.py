"""What was sent can be sent again as it was; hearers take what they lack, in its order."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.conftest import Tally, erased, heard_of
from tests.integration.messaging.loops import a_relay, running, say
from tests.integration.replay.conftest import (
    a_consumer,
    a_replayer,
    ask,
    carried_out,
    contents,
    counts,
    hear,
    in_kafka,
    is_level,
    lose_records,
    over,
    publish,
    restore,
    some,
    speak,
)
from tests.stack.waiting import until

from shared.clock import utc_now
from shared.contracts.catalogue import INTAKE
from shared.ids import new_id
from shared.kafka import client
from shared.kafka.port import Sender
from shared.messaging import erasure, outbox, subjects
from shared.messaging.replay.replays import Replays
from shared.messaging.sending import Sending, Sent
from shared.settings import KafkaSettings


@pytest.fixture(scope="module")
async def publisher(engine: AsyncEngine) -> AsyncGenerator[httpx.AsyncClient]:
    """The API of the service that speaks on leads; it hears nothing."""
    async with await speak(engine, INTAKE) as speaker:
        yield speaker


@pytest.fixture
def replayer(engine: AsyncEngine, kafka_settings: KafkaSettings) -> Replays:
    return a_replayer(engine, kafka_settings, None, INTAKE)


async def test_what_is_sent_again_is_what_was_sent_in_its_order(
    engine: AsyncEngine,
    kafka_settings: KafkaSettings,
    publisher: httpx.AsyncClient,
    replayer: Replays,
) -> None:
    leads, since = some(30), utc_now().isoformat()
    await publish(engine, kafka_settings, leads, "1", "2", "3")
    before = await in_kafka(kafka_settings, leads)
    order = await carried_out(publisher, replayer, verb="republish", since=since)
    after = await in_kafka(kafka_settings, leads)

    assert counts(order) == {"sent": 90}
    assert all(after[lead] == before[lead] * 2 for lead in leads)
    assert [envelope.sequence for envelope in after[leads[0]]] == [1, 2, 3, 1, 2, 3]


async def test_records_that_kafka_lost_are_heard_from_the_archive(
    engine: AsyncEngine,
    kafka_settings: KafkaSettings,
    tally: Tally,
    api: httpx.AsyncClient,
    publisher: httpx.AsyncClient,
    replayer: Replays,
) -> None:
    leads, since = some(20), utc_now().isoformat()
    await publish(engine, kafka_settings, leads, "1", "2", "3")
    await hear(engine, kafka_settings, tally, *leads)
    await restore(engine, leads[:10], heard=0)
    await restore(engine, leads[10:15], heard=2)
    await lose_records(kafka_settings)

    healer = a_replayer(engine, kafka_settings, tally)
    nothing = await carried_out(api, healer, verb="heal", since=since)
    await carried_out(publisher, replayer, verb="republish", since=since)
    await hear(engine, kafka_settings, tally, *leads)
    after = await contents(engine)
    await carried_out(publisher, replayer, verb="republish", since=since)
    again = await carried_out(api, healer, verb="heal", since=since)

    assert counts(nothing) == {}
    assert [await heard_of(engine, lead) for lead in leads] == [["1", "2", "3"]] * 20
    assert counts(again) == {"read": 120, "duplicates": 120}
    assert places_apart(await contents(engine)) == places_apart(after)


async def test_of_one_lead_only_its_own_events_are_sent(
    engine: AsyncEngine,
    kafka_settings: KafkaSettings,
    publisher: httpx.AsyncClient,
    replayer: Replays,
) -> None:
    one, other = some(2)
    await publish(engine, kafka_settings, [one, other], "1", "2")
    order = await carried_out(publisher, replayer, verb="republish", lead_id=str(one))
    found = await in_kafka(kafka_settings, [one, other])

    assert counts(order) == {"sent": 2}
    assert [len(found[lead]) for lead in (one, other)] == [4, 2]


async def test_of_a_merged_lead_all_is_sent_by_whichever_of_its_names_is_given(
    engine: AsyncEngine,
    kafka_settings: KafkaSettings,
    publisher: httpx.AsyncClient,
    replayer: Replays,
) -> None:
    merged, survivor = some(2)
    await publish(engine, kafka_settings, [merged, survivor], "1", "2")
    async with engine.begin() as connection:
        await subjects.lock(connection, [merged, survivor], whole=True)
        await subjects.merge(connection, merged, into=survivor)
    orders = [
        await carried_out(publisher, replayer, verb="republish", lead_id=str(name))
        for name in (merged, survivor)
    ]
    found = await in_kafka(kafka_settings, [merged, survivor])

    assert [counts(order) for order in orders] == [{"sent": 4}] * 2
    assert [len(found[name]) for name in (merged, survivor)] == [6, 6]


async def test_no_more_is_in_flight_at_once_than_fits_into_one_batch_of_a_partition(
    engine: AsyncEngine,
    kafka_settings: KafkaSettings,
    publisher: httpx.AsyncClient,
    replayer: Replays,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [lead] = some(1)
    await publish(engine, kafka_settings, [lead], "1", "2", "3")
    flights: list[int] = []
    hand_over = Sending.hand_over

    async def watched(
        self: Sending, producer: Sender, rows: Sequence[Row[Any]]
    ) -> tuple[Sent, Exception | None]:
        flights.append(len(rows))
        return await hand_over(self, producer, rows)

    monkeypatch.setattr(client, "FLIGHT_BYTES", 1)
    monkeypatch.setattr(Sending, "hand_over", watched)
    await carried_out(publisher, replayer, verb="republish", lead_id=str(lead))
    found = (await in_kafka(kafka_settings, [lead]))[lead]

    assert flights == [1, 1, 1]
    assert [each.sequence for each in found] == [1, 2, 3] * 2


async def test_a_dry_run_counts_by_topic_and_sends_nothing(
    engine: AsyncEngine,
    kafka_settings: KafkaSettings,
    publisher: httpx.AsyncClient,
    replayer: Replays,
) -> None:
    [lead], since = some(1), utc_now().isoformat()
    await publish(engine, kafka_settings, [lead], "1", "2")
    before = await contents(engine)
    order = await carried_out(publisher, replayer, verb="republish", since=since, dry_run=True)

    assert counts(order) == {"sent": 2}
    assert len((await in_kafka(kafka_settings, [lead]))[lead]) == 2
    assert await contents(engine) == before


async def test_of_an_erased_lead_the_numbers_are_sent_and_nothing_of_the_person(
    engine: AsyncEngine,
    kafka_settings: KafkaSettings,
    tally: Tally,
    publisher: httpx.AsyncClient,
    replayer: Replays,
) -> None:
    [lead] = some(1)
    await publish(engine, kafka_settings, [lead], "1", "2")
    async with engine.begin() as connection:
        await subjects.lock(connection, [lead])
        await erasure.blank(connection, [lead])
        cause = outbox.Cause(correlation_id=new_id())
        await outbox.say(connection, [erased(lead)], cause)
    await publish(engine, kafka_settings, [])
    sent_first = len((await in_kafka(kafka_settings, [lead]))[lead])
    await carried_out(publisher, replayer, verb="republish", lead_id=str(lead))
    again = (await in_kafka(kafka_settings, [lead]))[lead][sent_first:]
    await hear(engine, kafka_settings, tally, lead)

    assert [(each.sequence, each.blank) for each in again] == [
        (1, "erased"),
        (2, "erased"),
        (3, None),
    ]
    assert [each.data for each in again[:2]] == [b"", b""]
    assert await heard_of(engine, lead) == []


async def test_beside_the_relay_and_load_each_lead_is_first_sent_in_order_and_heard_once(
    engine: AsyncEngine,
    kafka_settings: KafkaSettings,
    tally: Tally,
    publisher: httpx.AsyncClient,
    replayer: Replays,
) -> None:
    leads, since = some(40), utc_now().isoformat()
    await publish(engine, kafka_settings, leads, "1", "2")
    async with running(
        a_relay(engine, kafka_settings), a_consumer(engine, kafka_settings, tally), replayer
    ):
        asked = [await ask(publisher, verb="republish", since=since) for _ in range(3)]
        for company in ("3", "4"):
            for lead in leads:
                await say(engine, lead, company)
        states = [(await over(publisher, each["id"]))["state"] for each in asked]
        await until(lambda: is_level(engine, leads))

    found = await in_kafka(kafka_settings, leads)
    firsts = [list(dict.fromkeys(each.sequence for each in found[lead])) for lead in leads]
    assert states == ["done"] * 3
    assert firsts == [[1, 2, 3, 4]] * 40
    assert [await heard_of(engine, lead) for lead in leads] == [["1", "2", "3", "4"]] * 40


def places_apart(tables: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the tables without the archive's note of where a record lies now."""
    archive = [row.rsplit(",", 2)[0] for row in tables["outbox_archive"]]
    return {**tables, "outbox_archive": sorted(archive)}
