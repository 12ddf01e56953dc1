"""How the audit looks into the databases: it changes nothing, and stands in nobody's way."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import timedelta

import asyncpg
import pytest
from tests.integration.handoff.databases import Databases
from tests.integration.handoff.test_operations import running
from tests.stack.running import Stack

from handoff.audit import invariants, portions
from handoff.audit.portions import Range, everything
from handoff.audit.reconcile import reconcile
from handoff.views import connect, open_views
from shared.clock import utc_now
from shared.ids import first_id_of, new_id

NOTIFIER = "notifier"
LONGEST = 1.0
_SUBMISSION = """
    INSERT INTO submission (id, source_id, body, sender, received_at, state)
    VALUES ($1, $1, '', '{}', now(), 'rejected')
"""
_BETWEEN = "SELECT count(*) FROM submission WHERE id > $1 AND id <= $2"
_SESSIONS = """
    SELECT pid, state, extract(epoch FROM clock_timestamp() - xact_start)::float AS seconds
    FROM pg_stat_activity WHERE application_name = 'handoff' AND datname = ANY($1)
"""
_END = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE application_name = 'handoff' AND datname = ANY($1)
"""


def name_of(databases: Databases, service: str) -> str:
    return databases.urls[service].rpartition("/")[2]


def names_of(databases: Databases) -> list[str]:
    return [name_of(databases, service) for service in databases.urls]


@pytest.fixture
async def administrator(stack: Stack) -> AsyncGenerator[asyncpg.Connection]:
    """Whoever may end sessions."""
    connection = await asyncpg.connect(stack.postgres_url, ssl=False)
    yield connection
    await connection.close()


@pytest.fixture
async def on_its_way(databases: Databases) -> Databases:
    """Of one lead something is on its way, so an audit waits."""
    lead_id = new_id()
    await databases.say(lead_id, 1, waiting=1)
    return databases


async def test_times_are_shown_in_utc_whatever_zone_a_database_is_in(databases: Databases) -> None:
    owner, name = databases.owners[NOTIFIER], name_of(databases, NOTIFIER)
    await owner.execute(f"ALTER DATABASE \"{name}\" SET timezone = 'Pacific/Kiritimati'")
    async with open_views(databases.site) as views:
        zones = [await view.fetchval("SHOW timezone") for view in views.values()]
    await owner.execute(f'ALTER DATABASE "{name}" RESET timezone')

    assert set(zones) == {"UTC"}


async def test_who_looks_cannot_write_even_where_it_may(databases: Databases) -> None:
    async with connect(databases.owner_urls[NOTIFIER]) as owner:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await owner.execute("DELETE FROM task")


async def test_no_transaction_stays_open_while_it_waits_or_goes_on(
    on_its_way: Databases, administrator: asyncpg.Connection
) -> None:
    seen = list[asyncpg.Record]()
    auditing = asyncio.create_task(reconcile(on_its_way.site, wait=2))
    while not auditing.done():
        seen += await administrator.fetch(_SESSIONS, names_of(on_its_way))
        await asyncio.sleep(0.01)
    await auditing

    assert len({each["pid"] for each in seen}) == len(on_its_way.urls)
    assert not {each["state"] for each in seen} & {"idle in transaction"}
    assert max(each["seconds"] or 0 for each in seen) < LONGEST


async def test_a_range_holds_no_more_submissions_than_are_looked_at_together(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "LARGE", 5)
    owner = databases.owners["marketing-intake"]
    await databases.say(first_id_of(utc_now() - timedelta(hours=1)), 1)
    for _ in range(12):
        await owner.execute(_SUBMISSION, new_id())
    await databases.say(new_id(), 1)
    async with open_views(databases.site) as views:
        ranges = [each async for each in everything(views)]
    counts = [await owner.fetchval(_BETWEEN, *each.values) for each in ranges]

    assert (sum(counts), max(counts)) == (12, 5)


async def test_what_is_owed_for_one_topic_is_read_once(databases: Databases) -> None:
    asked: list[str] = []
    async with open_views(databases.site) as views:
        promises = await invariants.owed(views)
        views["sales-pipeline"].add_query_logger(lambda query: asked.append(query.query))
        portion = Range(first_id_of(utc_now() - timedelta(days=1)), new_id())
        await invariants.broken(views, promises, portion)

    assert len([each for each in promises if each.topic == "handoff.deals.v1"]) > 1
    assert len([query for query in asked if "FROM story" in query]) == 1


async def test_the_command_says_in_a_sentence_that_its_sessions_were_ended(
    on_its_way: Databases, administrator: asyncpg.Connection
) -> None:
    command = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "handoff", "audit", "--wait", "60",
        env=on_its_way.environment(), stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(30):
        while not await administrator.fetchval(_END, names_of(on_its_way)):
            await asyncio.sleep(0.1)
        _, said = await command.communicate()

    assert command.returncode == 1
    assert said.strip()
    assert "Traceback" not in said.decode()


async def test_the_auditing_process_goes_on_after_all_its_sessions_were_ended(
    on_its_way: Databases, administrator: asyncpg.Connection
) -> None:
    names = names_of(on_its_way)
    ended = 0
    async with running(on_its_way, HANDOFF_AUDIT_SECONDS="1") as operations:
        await operations.until_missing(0)
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                while True:
                    ended += await administrator.fetchval(_END, names)
                    await asyncio.sleep(0.05)
        before = await operations.gauge("handoff_audit_timestamp_seconds") or 0
        await on_its_way.owners["marketing-intake"].execute(
            "INSERT INTO lead (id, version, stamp, created_at, updated_at)"
            " VALUES ($1, 1, '{}', now(), now())",
            new_id(),
        )
        await operations.until_missing(1)
        await operations.until_ready(ready=True)

        assert ended > 0
        assert (await operations.gauge("handoff_audit_timestamp_seconds") or 0) > before
