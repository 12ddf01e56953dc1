"""Nothing grows for ever, and nothing goes that is still needed."""

import asyncio
import contextlib
import time
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from marketing_intake.adapters.submissions import submissions_by_day
from shared.clock import utc_now
from shared.database.partitions import DayTable
from shared.ids import first_id_of, new_id
from shared.messaging.janitor import Janitor
from shared.telemetry.heartbeat import Heartbeats

ARCHIVE = DayTable("outbox_archive", column="published_at", kind="timestamptz", days=30)
SUBMISSIONS = submissions_by_day(90)


@pytest.fixture
def janitor(engine: AsyncEngine) -> Janitor:
    return Janitor(engine, (ARCHIVE, SUBMISSIONS), Heartbeats().loop("janitor"))


def days_ago(days: float) -> datetime:
    return utc_now() - timedelta(days=days)


async def run(engine: AsyncEngine, sql: str, **values: object) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(sql), values)


async def ask(engine: AsyncEngine, sql: str, **values: object) -> object:
    async with engine.connect() as connection:
        return await connection.scalar(text(sql), values)


async def count(engine: AsyncEngine, table: str) -> object:
    return await ask(engine, f"SELECT count(*) FROM {table}")  # noqa: S608  a name of ours


async def make_day(engine: AsyncEngine, table: DayTable, day: datetime) -> str:
    """Make the partition of a day that is over, as the janitor made it when it was to come."""
    first = day.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    low, high = table.bound(first), table.bound(first + timedelta(days=1))
    name = f"{table.name}_{first:%Y%m%d}"
    of = f"{table.name} FOR VALUES FROM ('{low}') TO ('{high}')"
    await run(engine, f"CREATE TABLE {name} PARTITION OF {of}")
    return name


async def is_there(engine: AsyncEngine, name: str) -> bool:
    return await ask(engine, "SELECT to_regclass(:name)", name=name) is not None


async def archive(engine: AsyncEngine, published_at: datetime) -> None:
    await run(
        engine,
        "INSERT INTO outbox_archive (id, event_id, topic, subject, sequence, type, payload,"
        " headers, created_at, published_at)"
        " VALUES (1, :event, 'handoff.leads.v1', :event, 1, 'lead.captured.v1', '', '{}',"
        " :at, :at)",
        event=new_id(), at=published_at,
    )  # fmt: skip


async def submit(
    engine: AsyncEngine, received_at: datetime, state: str, *, key: str | None = None
) -> object:
    submission_id = first_id_of(received_at)
    await run(
        engine,
        "INSERT INTO submission (id, source_id, key, body, sender, received_at, state)"
        " VALUES (:id, :id, :key, '', '{}', :at, :state)",
        id=submission_id, key=key, at=received_at, state=state,
    )  # fmt: skip
    if key:
        await run(
            engine,
            "INSERT INTO submission_key (source_id, key, receipt_id, hash)"
            " VALUES (:id, :key, :id, '')",
            id=submission_id, key=key,
        )  # fmt: skip
    return submission_id


async def broken_keys(engine: AsyncEngine) -> object:
    return await ask(
        engine, "SELECT array_agg(subject) FROM broken WHERE invariant = 'key_and_submission'"
    )


class TestDays:
    async def test_an_old_day_of_the_archive_goes_and_a_younger_one_stays(
        self, engine: AsyncEngine, janitor: Janitor
    ) -> None:
        old = await make_day(engine, ARCHIVE, days_ago(32))
        young = await make_day(engine, ARCHIVE, days_ago(29))
        await archive(engine, days_ago(32))
        await archive(engine, days_ago(29))

        await janitor.sweep()

        assert not await is_there(engine, old)
        assert await is_there(engine, young)
        assert await count(engine, young) == 1

    async def test_a_week_of_days_to_come_is_made(
        self, engine: AsyncEngine, janitor: Janitor
    ) -> None:
        await janitor.sweep()

        for days in range(-7, 1):
            assert await is_there(engine, f"outbox_archive_{days_ago(days):%Y%m%d}")
            assert await is_there(engine, f"submission_{days_ago(days):%Y%m%d}")

    @pytest.mark.parametrize("state", ["received", "waiting", "parked"])
    async def test_a_submission_without_outcome_keeps_its_day_until_it_has_one(
        self, engine: AsyncEngine, janitor: Janitor, state: str
    ) -> None:
        day = await make_day(engine, SUBMISSIONS, days_ago(100))
        await submit(engine, days_ago(100.001), "created")
        waiting = await submit(engine, days_ago(100), state)

        await janitor.sweep()
        kept, counted = await is_there(engine, day), _days_kept()
        await run(engine, "UPDATE submission SET state = 'created' WHERE id = :id", id=waiting)
        await janitor.sweep()

        assert (kept, counted) == (True, 1)
        assert (await is_there(engine, day), _days_kept()) == (False, 0)

    async def test_the_keys_of_a_day_that_went_are_not_missed_while_an_older_day_stays(
        self, engine: AsyncEngine, janitor: Janitor
    ) -> None:
        older = await make_day(engine, SUBMISSIONS, days_ago(105))
        younger = await make_day(engine, SUBMISSIONS, days_ago(95))
        parked = await submit(engine, days_ago(105), "parked", key="key:1")
        await submit(engine, days_ago(95), "created", key="key:2")

        await janitor.sweep()
        days = await is_there(engine, older), await is_there(engine, younger)
        healthy = await broken_keys(engine)
        await run(engine, "DELETE FROM submission WHERE id = :id", id=parked)
        lost = await broken_keys(engine)
        await run(engine, "DELETE FROM submission_key")
        await janitor.sweep()

        assert days == (True, False)
        assert healthy is None
        assert lost == [parked]

    @pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
    async def test_a_day_begins_at_the_same_moment_whatever_the_time_zone_of_who_asks(
        self, engine: AsyncEngine, zone: str
    ) -> None:
        day = await make_day(engine, ARCHIVE, days_ago(300))
        async with engine.connect() as connection:
            await connection.execute(text(f"SET LOCAL TimeZone = '{zone}'"))
            begins = await connection.scalar(text("SELECT lower(kept('outbox_archive'))"))
        await run(engine, f"DROP TABLE {day}")

        assert f"{begins.astimezone(UTC):%Y%m%d %H:%M}" == f"{day[-8:]} 00:00"

    async def test_what_lies_in_no_day_goes_by_its_age(
        self, engine: AsyncEngine, janitor: Janitor
    ) -> None:
        await archive(engine, days_ago(50))
        await archive(engine, days_ago(20))
        await submit(engine, days_ago(120), "updated")
        needed = await submit(engine, days_ago(130), "parked")

        await janitor.sweep()

        assert await ask(engine, "SELECT count(*) FROM outbox_archive_rest") == 1
        assert await ask(engine, "SELECT array_agg(id) FROM submission_rest") == [needed]
        assert _days_kept() == 1
        await run(engine, "DELETE FROM outbox_archive_rest")
        await run(engine, "DELETE FROM submission_rest")

    async def test_rows_that_came_before_their_day_was_made_stop_no_other_day(
        self, engine: AsyncEngine, janitor: Janitor
    ) -> None:
        await janitor.sweep()
        early, other = (f"outbox_archive_{days_ago(-days):%Y%m%d}" for days in (3, 4))
        await run(engine, f"DROP TABLE {early}, {other}")
        await archive(engine, days_ago(-3))

        await janitor.sweep()

        assert not await is_there(engine, early)
        assert await is_there(engine, other)
        await run(engine, "DELETE FROM outbox_archive_rest")


class TestBesideOthers:
    async def test_two_janitors_at_once_do_it_once(
        self, engine: AsyncEngine, janitor: Janitor
    ) -> None:
        days = [await make_day(engine, ARCHIVE, days_ago(40 + n)) for n in range(10)]
        another = Janitor(engine, janitor.tables, Heartbeats().loop("janitor"))

        for _ in range(10):  # who does not get a lock at once leaves the day to the next time
            await asyncio.gather(janitor.sweep(), another.sweep())

        assert [day for day in days if await is_there(engine, day)] == []

    async def test_one_that_dies_half_way_leaves_the_rest_to_the_next(
        self, engine: AsyncEngine, janitor: Janitor
    ) -> None:
        days = [await make_day(engine, ARCHIVE, days_ago(60 + n)) for n in range(10)]
        dying = asyncio.create_task(janitor.sweep())
        async with asyncio.timeout(10):
            while await is_there(engine, days[-1]):
                await asyncio.sleep(0.001)
        dying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await dying

        await janitor.sweep()

        assert [day for day in days if await is_there(engine, day)] == []

    async def test_a_long_reader_makes_it_wait_and_nobody_behind_it(
        self, engine: AsyncEngine, janitor: Janitor
    ) -> None:
        await janitor.sweep()
        old = await make_day(engine, ARCHIVE, days_ago(80))
        async with engine.connect() as reader:
            await reader.execute(text("SELECT count(*) FROM outbox_archive"))
            longest = await _longest_wait_while(engine, janitor)
            kept = await is_there(engine, old)
        await janitor.sweep()

        assert kept
        assert longest < 1.0
        assert not await is_there(engine, old)


def _days_kept() -> float | None:
    return REGISTRY.get_sample_value("handoff_old_days_kept", {"table": "submission"})


async def _longest_wait_while(engine: AsyncEngine, janitor: Janitor) -> float:
    """Write to and read from the archive while the janitor sweeps; return the longest wait."""
    sweeping = asyncio.create_task(janitor.sweep())
    waits: list[float] = []
    while not sweeping.done():
        began = time.monotonic()
        await archive(engine, utc_now())
        await ask(engine, "SELECT count(*) FROM outbox_archive WHERE subject = :id", id=new_id())
        waits.append(time.monotonic() - began)
    await sweeping
    return max(waits)
