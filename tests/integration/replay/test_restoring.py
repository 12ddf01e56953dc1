"""A publisher whose database went back knows again what it said, and no number is given twice."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.conftest import Tally, heard_of
from tests.integration.messaging.loops import running, say
from tests.integration.replay.conftest import (
    LEADS,
    a_replayer,
    ask,
    carried_out,
    contents,
    counts,
    go_back,
    goes_on,
    hear,
    in_kafka,
    over,
    publish,
    restore,
    some,
    speak,
)
from tests.stack.topics import read_back

from shared import limits
from shared.contracts.catalogue import INTAKE
from shared.messaging import foreign
from shared.messaging.lease import Lease
from shared.settings import KafkaSettings

SCORES = "handoff.scores.v1"


@pytest.fixture(scope="module")
async def intake(engine: AsyncEngine) -> AsyncGenerator[httpx.AsyncClient]:
    async with await speak(engine, INTAKE) as client:
        yield client


async def restored(
    engine: AsyncEngine, settings: KafkaSettings, api: httpx.AsyncClient, **order: Any
) -> dict[str, Any]:
    """Let the intake's worker carry out an order to restore; return what became of it."""
    worker = a_replayer(engine, settings, None, service=INTAKE)
    return await carried_out(api, worker, verb="restore", since=None, **order)


async def companies(settings: KafkaSettings, leads: Sequence[Any]) -> list[list[tuple[int, str]]]:
    """Return of each lead what is in Kafka: its numbers, and what they tell."""
    found = await in_kafka(settings, leads)
    return [
        [
            (e.sequence, e.data.partition(b'"company":"')[2].partition(b'"')[0].decode())
            for e in some
        ]
        for some in found.values()
    ]


async def test_what_kafka_has_is_known_again_and_what_was_said_since_goes_behind_it(
    engine: AsyncEngine, kafka_settings: KafkaSettings, intake: httpx.AsyncClient
) -> None:
    older, newer = some(6), some(3)
    leads = [*older, *newer]
    await publish(engine, kafka_settings, leads, "1", "2", "3")
    await go_back(engine, older, said=1, topic=LEADS)
    await go_back(engine, newer, said=0, topic=LEADS)
    await say(engine, older[0], "since", "then")
    await say(engine, newer[0], "since")
    refused = await foreign.records(engine, kafka_settings, INTAKE)
    before = await contents(engine)

    dry = await restored(engine, kafka_settings, intake, dry_run=True)
    unchanged = await contents(engine)
    done = await restored(engine, kafka_settings, intake)
    await goes_on(engine, kafka_settings)
    again = await restored(engine, kafka_settings, intake)

    assert refused
    assert unchanged == before
    assert counts(dry)["taken_back"] == counts(done)["taken_back"] == 6 * 2 + 3 * 3
    assert counts(done)["renumbered"] >= 3
    assert counts(again) == {}
    said = [(1, "1"), (2, "2"), (3, "3")]
    assert await companies(kafka_settings, leads) == [
        [*said, (4, "since"), (5, "then")], *[said] * 5, [*said, (4, "since")], *[said] * 2,
    ]  # fmt: skip
    assert await _misnumbered(engine) == []


async def test_who_is_to_be_looked_at_is_named_with_what_was_said_of_them(
    engine: AsyncEngine, kafka_settings: KafkaSettings, intake: httpx.AsyncClient
) -> None:
    [lead] = some(1)
    await publish(engine, kafka_settings, [lead], "1", "2")
    await go_back(engine, [lead], said=1, topic=LEADS)

    await restored(engine, kafka_settings, intake)

    async with engine.connect() as connection:
        shown = text("SELECT topic, sequence, type, heard FROM restored WHERE subject = :lead")
        rows = (await connection.execute(shown, {"lead": lead})).all()
    assert rows == [(LEADS, 2, "lead.captured.v1", False)]
    await goes_on(engine, kafka_settings)


async def test_what_is_heard_again_is_not_said_again(
    engine: AsyncEngine, kafka_settings: KafkaSettings, tally: Tally, api: httpx.AsyncClient
) -> None:
    leads = some(4)
    await publish(engine, kafka_settings, leads, "1", "2", "3")
    await hear(engine, kafka_settings, tally, *leads)
    await goes_on(engine, kafka_settings)
    worker = a_replayer(engine, kafka_settings, tally)

    # Some were heard again before anybody thought of it, some are afterwards.
    early, late = leads[:2], leads[2:]
    await _lose(engine, early)
    await carried_out(api, worker, verb="heal")
    await _lose(engine, late)
    order = await carried_out(api, worker, verb="restore", since=None)
    await carried_out(api, worker, verb="heal")
    await goes_on(engine, kafka_settings)

    counted = counts(order, SCORES)
    assert (counted["taken_back"], counted["dropped"]) == (8, 4)
    assert [await heard_of(engine, lead) for lead in leads] == [["1", "2", "3"]] * 4
    streams = await read_back(kafka_settings, [SCORES])
    assert [[e.sequence for e in streams[SCORES, lead].envelopes] for lead in leads] == (
        [[1, 2, 3]] * 4
    )
    assert await _misnumbered(engine) == []


async def test_while_somebody_else_sends_nothing_is_taken_back(
    engine: AsyncEngine,
    kafka_settings: KafkaSettings,
    intake: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [lead] = some(1)
    await publish(engine, kafka_settings, [lead], "1", "2")
    await go_back(engine, [lead], said=1, topic=LEADS)
    monkeypatch.setattr(limits, "LEASE", 0.5)
    other = Lease(engine, name="relay", owner="another", seconds=60)
    assert await other.hold()

    asked = await ask(intake, verb="restore", since=None)
    async with running(a_replayer(engine, kafka_settings, None, service=INTAKE)):
        order = await over(intake, asked["id"])
    await other.give_back()
    free = await restored(engine, kafka_settings, intake)

    assert order["state"] == "failed"
    assert "somebody still sends for marketing-intake" in order["error"]
    assert counts(free)["taken_back"] == 1
    await goes_on(engine, kafka_settings)


async def test_a_restore_takes_no_range(intake: httpx.AsyncClient) -> None:
    answer = await intake.post(
        "/v1/replays", json={"verb": "restore", "since": "2026-01-31T12:00:00Z"}
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["detail"] == "since does not go with restore: leave it out"


async def _lose(engine: AsyncEngine, leads: Sequence[UUID]) -> None:
    """Set leads back to their first event, and to what was said of it."""
    await restore(engine, leads, heard=1)
    await go_back(engine, leads, said=1, topic=SCORES)


async def _misnumbered(engine: AsyncEngine) -> list[asyncpg.Record]:
    async with engine.connect() as connection:
        wrong = text("SELECT * FROM messaging_broken WHERE invariant = 'said_once_in_order'")
        return list(await connection.execute(wrong))
