"""Rows that have served go in their time, and no row that is still needed."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.marketing_intake.test_retention import ask, count, run

from shared.messaging.janitor import Janitor
from shared.telemetry.heartbeat import Heartbeats


@pytest.fixture
def janitor(engine: AsyncEngine) -> Janitor:
    return Janitor(engine, (), Heartbeats().loop("janitor"))


OLD_AND_YOUNG = {
    "idempotency": (
        ("INSERT INTO idempotency (key_id, key, fingerprint, status, headers, body, created_at)"
        " VALUES ('k', :name, '', 201, '{}', '', now() - make_interval(days => :days))"),
        8, 6,
    ),
    "parking_order": (
        ("INSERT INTO parking_order (id, verb, subject, actor, reason, done_at)"
        " VALUES (gen_random_uuid(), 'release', gen_random_uuid(), 'a test', :name,"
        " now() - make_interval(days => :days))"),
        91, 89,
    ),
    "parking_release": (
        ("INSERT INTO parking_release (id, cause, actor, asked_at)"
        " VALUES (gen_random_uuid(), :name, 'a test', now() - make_interval(days => :days))"),
        91, 89,
    ),
    "replay_order": (
        ("INSERT INTO replay_order (id, verb, topics, dry_run, actor, done_at)"
        " VALUES (gen_random_uuid(), 'heal', '{}', false, :name,"
        " now() - make_interval(days => :days))"),
        91, 89,
    ),
    "breaker": (
        ("INSERT INTO breaker (name, version, in_a_row, counted, poisoned, asked_at)"
        " VALUES ('a test', :name, 0, 0, 0, now() - make_interval(days => :days))"),
        91, 89,
    ),
    "unreadable_record": (
        ('INSERT INTO unreadable_record (topic, partition, "offset", headers, error, parked_at)'
        " VALUES (:name, 0, 0, '{}', '', now() - make_interval(days => :days))"),
        91, 89,
    ),
    "attempt": (
        ("INSERT INTO attempt (event_id, tries, tried_at)"
        " SELECT gen_random_uuid(), 1, now() - make_interval(days => :days)"
        " WHERE :name <> ''"),
        31, 29,
    ),
    "api_key": (
        ("INSERT INTO api_key (key_id, secret_hash, name, scopes, expires_at)"
        " VALUES (left(md5(:name), 12), sha256(''), 'spent', '{operate}',"
        " now() - make_interval(days => :days))"),
        31, 29,
    ),
}  # fmt: skip


@pytest.mark.parametrize("table", OLD_AND_YOUNG)
async def test_what_has_served_goes_in_its_time(
    engine: AsyncEngine, janitor: Janitor, table: str
) -> None:
    insert, old, young = OLD_AND_YOUNG[table]
    await run(engine, f"TRUNCATE {table} CASCADE")
    await run(engine, insert, name="old", days=old)
    await run(engine, insert, name="young", days=young)

    await janitor.sweep()

    assert await count(engine, table) == 1


async def test_that_a_person_gave_an_event_up_is_known_as_long_as_somebody_may_ask(
    engine: AsyncEngine, janitor: Janitor
) -> None:
    await run(engine, "TRUNCATE parking_order")
    await run(
        engine,
        "INSERT INTO parking_order (id, verb, subject, actor, reason, done_at, count)"
        " SELECT gen_random_uuid(), 'discard', gen_random_uuid(), 'a test', count::text,"
        " '2020-01-01', count FROM generate_series(0, 1) AS g (count)",
    )

    await janitor.sweep()

    assert await ask(engine, "SELECT array_agg(count) FROM parking_order") == [1]


async def test_a_release_stays_as_long_as_an_order_of_it(
    engine: AsyncEngine, janitor: Janitor
) -> None:
    await run(engine, "TRUNCATE parking_release CASCADE")
    await run(
        engine,
        "WITH release AS (INSERT INTO parking_release (id, cause, actor, asked_at)"
        " VALUES (gen_random_uuid(), 'KeyError', 'a test', '2020-01-01') RETURNING id)"
        " INSERT INTO parking_order (id, verb, subject, actor, done_at, release_id)"
        " SELECT gen_random_uuid(), 'release', gen_random_uuid(), 'a test', now(), id"
        " FROM release",
    )

    await janitor.sweep()

    assert await count(engine, "parking_release") == 1


async def test_a_breaker_that_stopped_its_code_stays_until_somebody_closes_it(
    engine: AsyncEngine, janitor: Janitor
) -> None:
    await run(engine, "TRUNCATE breaker")
    await run(
        engine,
        "INSERT INTO breaker (name, version, in_a_row, counted, poisoned, asked_at, opened_at)"
        " VALUES ('a test', '1', 20, 20, 20, '2020-01-01', '2020-01-01')",
    )

    await janitor.sweep()

    assert await count(engine, "breaker") == 1


async def test_an_order_that_nobody_came_to_and_a_key_without_end_stay(
    engine: AsyncEngine, janitor: Janitor
) -> None:
    await run(engine, "TRUNCATE parking_order, api_key, replay_order")
    await run(
        engine,
        "INSERT INTO parking_order (id, verb, subject, actor, asked_at)"
        " VALUES (gen_random_uuid(), 'release', gen_random_uuid(), 'a test', '2020-01-01')",
    )
    await run(
        engine,
        "INSERT INTO replay_order (id, verb, topics, dry_run, actor, asked_at)"
        " VALUES (gen_random_uuid(), 'heal', '{}', false, 'a test', '2020-01-01')",
    )
    await run(
        engine,
        "INSERT INTO api_key (key_id, secret_hash, name, scopes, created_at)"
        " VALUES ('0123456789ab', sha256(''), 'for ever', '{operate}', '2020-01-01')",
    )

    await janitor.sweep()

    assert await count(engine, "parking_order") == 1
    assert await count(engine, "replay_order") == 1
    assert await count(engine, "api_key") == 1
