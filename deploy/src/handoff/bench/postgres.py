"""What Postgres itself counts while something is measured: commits, statements, rows, commit times.

Read as the administrator, before and after a sample, never in it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Connection

from handoff.bench.installation import STATEMENTS

SETTINGS = (
    "server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers",
    "max_wal_size", "checkpoint_timeout", "wal_compression", "track_commit_timestamp",
    "shared_preload_libraries",
)  # fmt: skip

Calls = Mapping[str, Counter[int]]
"""By database and statement, how often it was sent."""

# A transaction that only reads gets no id, so these are the commits that wait for the disk.
_WRITES = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
_CALLS = f"""
    SELECT d.datname, s.queryid, sum(s.calls)::bigint AS calls
    FROM {STATEMENTS} s JOIN pg_database d ON d.oid = s.dbid
    WHERE s.queryid IS NOT NULL GROUP BY 1, 2
"""  # noqa: S608  our own text
_TASKS = """
    SELECT lead_id, min(pg_xact_commit_timestamp(xmin)) AS committed_at
    FROM task WHERE lead_id = ANY($1) GROUP BY lead_id
"""
_LEADS = "SELECT id, lead_id FROM submission WHERE id = ANY($1) AND lead_id IS NOT NULL"
_COUNTS = {
    "submission": "SELECT count(*) FROM submission",
    "lead": "SELECT count(*) FROM lead",
    "task": "SELECT count(*) FROM task",
    "lead whose task was heard": "SELECT count(*) FROM stream WHERE topic = 'handoff.tasks.v1'",
}


async def writes(administrator: Connection) -> int:
    """Return how many transactions have written, in all databases."""
    return await administrator.fetchval(_WRITES)


async def calls(administrator: Connection) -> Calls:
    """Return how often each database was sent each statement."""
    found: dict[str, Counter[int]] = {}
    for row in await administrator.fetch(_CALLS):
        found.setdefault(row["datname"], Counter())[row["queryid"]] = row["calls"]
    return found


def sent(before: Calls, after: Calls, database: str) -> Counter[int]:
    """Return how often a database was sent each statement from one reading to the next."""
    return after.get(database, Counter[int]()) - before.get(database, Counter[int]())


async def count(database: Connection, what: str) -> int:
    """Return how many rows there are."""
    return await database.fetchval(_COUNTS[what])


async def leads_of(intake: Connection, receipts: Sequence[str]) -> dict[str, UUID]:
    """Return the lead that each submission became, of those that became one."""
    rows = await intake.fetch(_LEADS, [UUID(receipt) for receipt in receipts])
    return {str(row["id"]): row["lead_id"] for row in rows}


async def tasks_of(notifier: Connection, found: Sequence[UUID]) -> dict[UUID, datetime]:
    """Return when the first task of each lead was committed, of those that have one."""
    rows = await notifier.fetch(_TASKS, found)
    return {row["lead_id"]: row["committed_at"] for row in rows}


async def last_task(notifier: Connection) -> datetime:
    """Return when the last task was committed."""
    return await notifier.fetchval("SELECT max(pg_xact_commit_timestamp(xmin)) FROM task")


async def settings(administrator: Connection) -> dict[str, str]:
    """Return the settings that decide what a commit costs."""
    rows = await administrator.fetch(
        "SELECT name, current_setting(name) AS value FROM pg_settings WHERE name = ANY($1)",
        list(SETTINGS),
    )
    return {row["name"]: row["value"] for row in rows}


@dataclass(frozen=True, slots=True)
class Counted:
    """What Postgres had counted at one moment."""

    writes: int
    calls: Calls


async def counted(administrator: Connection, *, statements: bool) -> Counted:
    """Read the counts; without the library that counts statements there are none of these."""
    return Counted(
        writes=await writes(administrator),
        calls=await calls(administrator) if statements else {},
    )
