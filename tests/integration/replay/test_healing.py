"""A heal brings back what a hearer lacks, and nothing else."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.conftest import Cut, Tally, heard_of
from tests.integration.messaging.loops import a_relay, running, say
from tests.integration.replay.conftest import (
    LEADS,
    a_consumer,
    a_replayer,
    ask,
    carried_out,
    contents,
    counts,
    hear,
    is_level,
    over,
    publish,
    restore,
    some,
)
from tests.stack.waiting import until

from shared.clock import utc_now
from shared.messaging import attempts
from shared.settings import KafkaSettings


async def test_what_a_restored_hearer_lacks_takes_effect_again_and_nothing_twice(
    engine: AsyncEngine, kafka_settings: KafkaSettings, tally: Tally, api: httpx.AsyncClient
) -> None:
    lost, shortened, level = some(3), some(3), some(3)
    leads, since = [*lost, *shortened, *level], utc_now().isoformat()
    await publish(engine, kafka_settings, leads, "1", "2", "3")
    await hear(engine, kafka_settings, tally, *leads)
    await restore(engine, lost, heard=0)
    await restore(engine, shortened, heard=1)

    replayer = a_replayer(engine, kafka_settings, tally)
    first = await carried_out(api, replayer, verb="heal", since=since)
    after = await contents(engine)
    second = await carried_out(api, replayer, verb="heal", since=since)

    assert [await heard_of(engine, lead) for lead in leads] == [["1", "2", "3"]] * 9
    assert counts(first) == {"read": 27, "applied": 15, "duplicates": 12}
    assert counts(second) == {"read": 27, "duplicates": 27}
    assert await contents(engine) == after


async def test_a_dry_run_counts_what_would_be_done_and_does_nothing(
    engine: AsyncEngine, kafka_settings: KafkaSettings, tally: Tally, api: httpx.AsyncClient
) -> None:
    leads = some(4)
    since = utc_now().isoformat()
    await publish(engine, kafka_settings, leads, "1", "2", "3")
    await hear(engine, kafka_settings, tally, *leads)
    await restore(engine, leads[:2], heard=0)
    before = await contents(engine)

    order = {"verb": "heal", "since": since}
    dry = await carried_out(api, a_replayer(engine, kafka_settings, tally), **order, dry_run=True)
    unchanged = await contents(engine)
    done = await carried_out(api, a_replayer(engine, kafka_settings, tally), **order)

    assert unchanged == before
    assert counts(dry) == counts(done) == {"read": 12, "applied": 6, "duplicates": 6}


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_range_that_begins_too_late_parks_the_stream_until_a_longer_one_comes(
    engine: AsyncEngine,
    kafka_settings: KafkaSettings,
    tally: Tally,
    api: httpx.AsyncClient,
    *,
    dry_run: bool,
) -> None:
    [lead] = some(1)
    await publish(engine, kafka_settings, [lead], "1", "2", "3")
    await hear(engine, kafka_settings, tally, lead)
    partition, offset = await _place(engine, lead, 2)
    await restore(engine, [lead], heard=0)
    replayer = a_replayer(engine, kafka_settings, tally)
    order = {"verb": "heal", "topic": LEADS, "partition": partition, "to_offset": offset + 1}

    late = await carried_out(api, replayer, **order, from_offset=offset, dry_run=dry_run)
    longer = await carried_out(api, replayer, **order, from_offset=offset - 1)

    assert counts(late) == {"read": 2, "parked": 2}
    assert counts(longer)["applied"] == 3
    assert await heard_of(engine, lead) == ["1", "2", "3"]


async def test_poison_parks_its_lead_and_no_other(
    engine: AsyncEngine, kafka_settings: KafkaSettings, tally: Tally, api: httpx.AsyncClient
) -> None:
    well, ill = some(1), some(1)
    since = utc_now().isoformat()
    await publish(engine, kafka_settings, ill, "1", "poison", "3")
    await publish(engine, kafka_settings, well, "1", "2")
    replayer = a_replayer(engine, kafka_settings, tally)

    order = await carried_out(api, replayer, verb="heal", since=since)

    assert counts(order) == {"read": 5, "applied": 3, "parked": 2}
    assert await heard_of(engine, ill[0]) == ["1"]
    assert await heard_of(engine, well[0]) == ["1", "2"]


async def test_an_open_breaker_holds_a_heal_until_it_closes(
    engine: AsyncEngine, kafka_settings: KafkaSettings, tally: Tally, api: httpx.AsyncClient
) -> None:
    leads = some(25)
    since = utc_now().isoformat()
    await publish(engine, kafka_settings, leads, "poison")
    asked = await ask(api, verb="heal", since=since)

    async def is_held() -> bool:
        return (await api.get(f"/v1/replays/{asked['id']}")).json()["held"] == "breaker"

    async with running(a_replayer(engine, kafka_settings, tally)):
        await until(is_held)
        parked = await _parked(engine)
        async with engine.begin() as connection:
            await connection.execute(text("TRUNCATE breaker"))
        done = await over(api, asked["id"])

    assert parked["poison"] < 25
    assert done["state"] == "done"
    async with engine.begin() as connection:
        await connection.execute(text("TRUNCATE breaker"))


async def test_an_outage_while_a_heal_is_at_work_parks_nobody(
    engine: AsyncEngine,
    kafka_settings: KafkaSettings,
    api: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.messaging.replay.replays._HELD_SECONDS", 0.05)
    leads, since = some(3), utc_now().isoformat()
    await publish(engine, kafka_settings, leads, "1", "2")
    replayer = a_replayer(engine, kafka_settings, Cut(outages=3 * len(leads) * attempts.MOST))

    order = await carried_out(api, replayer, verb="heal", since=since)

    assert counts(order) == {"read": 6, "applied": 6}
    assert [await heard_of(engine, lead) for lead in leads] == [["1", "2"]] * 3


async def test_beside_the_live_consumer_and_load_everything_is_heard_once(
    engine: AsyncEngine, kafka_settings: KafkaSettings, tally: Tally, api: httpx.AsyncClient
) -> None:
    leads, since = some(120), (utc_now() - timedelta(seconds=1)).isoformat()
    await publish(engine, kafka_settings, leads, "1", "2")
    await hear(engine, kafka_settings, tally, *leads)
    await restore(engine, leads[:60], heard=0)
    async with running(
        a_relay(engine, kafka_settings),
        a_consumer(engine, kafka_settings, tally),
        a_replayer(engine, kafka_settings, tally),
    ):
        asked = [await ask(api, verb="heal", since=since) for _ in range(3)]
        for lead in leads:
            await say(engine, lead, "3")
        states = [(await over(api, each["id"]))["state"] for each in asked]
        await until(lambda: is_level(engine, leads))

    assert states == ["done"] * 3
    assert [await heard_of(engine, lead) for lead in leads] == [["1", "2", "3"]] * 120


async def _place(engine: AsyncEngine, lead: object, sequence: int) -> tuple[int, int]:
    """Return where an event lies in Kafka."""
    async with engine.connect() as connection:
        row = (
            await connection.execute(
                text(
                    'SELECT partition, "offset" AS place FROM outbox_archive'
                    " WHERE subject = :lead AND sequence = :n AND topic = :topic"
                ),
                {"lead": lead, "n": sequence, "topic": LEADS},
            )
        ).one()
        return row.partition, row.place


async def _parked(engine: AsyncEngine) -> dict[str, int]:
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT reason, count(*) AS n FROM parked_event GROUP BY reason")
        )
        return {row.reason: row.n for row in rows}
