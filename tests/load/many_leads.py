"""Four databases full of leads that are as they should be: one statement a table, in SQL alone.

Every lead came by one submission with a key, was captured and scored; three in ten qualified, and
have a deal and a task. One in a hundred has merged into the one before it, two in a hundred were
erased, and of one in a thousand scoring's captured event was given up. They came evenly over the
last days, and nothing is on its way. What each service has of its own of them: `own_rows`.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import asyncpg
from tests.load.own_rows import OWN

from shared.clock import utc_now
from shared.ids import first_id_of

DAYS = 12

_IDS = """
CREATE OR REPLACE FUNCTION made(kind text, n bigint, most bigint) RETURNS uuid STABLE
LANGUAGE sql AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at(n, most)) * 1000)::bigint), 12, '0')
        || '7' || substr(md5(kind || n), 1, 3) || '8' || substr(md5(kind || n), 4, 15))::uuid
$$
"""
_TIMES = """
CREATE OR REPLACE FUNCTION at(n bigint, most bigint) RETURNS timestamptz STABLE LANGUAGE sql AS $$
    SELECT date_trunc('day', now()) - interval '1 hour' - interval '{days} days' * (most - n) / most
$$
"""
_DAY = """
CREATE TABLE {table}_{name} PARTITION OF {table} FOR VALUES FROM ('{low}') TO ('{high}')
"""
_ARCHIVE = """
INSERT INTO outbox_archive (id, event_id, topic, subject, sequence, type, payload, headers,
                            created_at, published_at, partition, "offset")
SELECT n, made('{kind}', n, {most}), '{topic}', made('lead', n, {most}), 1, {type},
       repeat('x', 300)::bytea, '{{"correlation_id": "0"}}', at(n, {most}), at(n, {most}),
       n % 12, n / 12
FROM generate_series(1, {most}) AS g (n) WHERE {which}
"""
_SAID = """
INSERT INTO said_stream
SELECT '{topic}', made('lead', n, {most}), 1 FROM generate_series(1, {most}) AS g (n) WHERE {which}
"""
_HEARD = """
INSERT INTO stream
SELECT '{topic}', made('lead', n, {most}), 1, made('{kind}', n, {most}), at(n, {most})
FROM generate_series(1, {most}) AS g (n) WHERE {which}
"""
_QUALIFIED = "n % 10 < 3"
_MERGED = "n % 100 = 11"
_ERASED = "n % 100 IN (12, 55)"
_GIVEN_UP = "n % 1000 = 999"
_PERSON = f"made('lead', CASE WHEN {_MERGED} THEN n - 1 ELSE n END, {{most}})"
_SCORED = "CASE WHEN n % 10 < 3 THEN 'lead.qualified.v1' ELSE 'lead.scored.v1' END"

_LEADS = ("handoff.leads.v1", "captured", "true", "'lead.captured.v1'")
_SCORES = ("handoff.scores.v1", "scored", "true", _SCORED)
_DEALS = ("handoff.deals.v1", "opened", _QUALIFIED, "'deal.opened.v1'")
_TASKS = ("handoff.tasks.v1", "created", _QUALIFIED, "'task.created.v1'")
_SPEAKS = {
    "marketing-intake": _LEADS,
    "lead-scoring": _SCORES,
    "sales-pipeline": _DEALS,
    "notifier": _TASKS,
}
_HEARS = {
    "marketing-intake": (),
    "lead-scoring": (_LEADS, _DEALS),
    "sales-pipeline": (_LEADS, _SCORES, _TASKS),
    "notifier": (_LEADS, _SCORES, _DEALS),
}
_SUBJECTS = """
INSERT INTO subject (id, alias_of, erased_at)
SELECT made('lead', n, {most}), CASE WHEN {merged} THEN {person} END,
       CASE WHEN {erased} THEN at(n, {most}) END
FROM generate_series(1, {most}) AS g (n)
"""
_PARTITIONED = {"marketing-intake": ("outbox_archive", "submission")}


async def fill(urls: Mapping[str, str], most: int) -> None:
    """Put so many leads into the services' databases, given by the URLs of their owners."""
    await asyncio.gather(*(_fill(url, service, most) for service, url in urls.items()))


async def _fill(url: str, service: str, most: int) -> None:
    connection = await asyncpg.connect(url, ssl=False, command_timeout=1800)
    try:
        await connection.execute("SET synchronous_commit = off")
        await _fill_one(connection, service, most)
    finally:
        await connection.close()


async def _fill_one(connection: asyncpg.Connection, service: str, most: int) -> None:
    await connection.execute(_TIMES.format(days=DAYS))
    await connection.execute(_IDS)
    for table in _PARTITIONED.get(service, ("outbox_archive",)):
        await _make_days(connection, table)
    topic, kind, which, wire_type = _SPEAKS[service]
    words = {"topic": topic, "kind": kind, "which": which, "type": wire_type, "most": most}
    await connection.execute(_SAID.format(**words))
    await connection.execute(_ARCHIVE.format(**words))
    for topic, kind, which, _ in _HEARS[service]:
        words = {"topic": topic, "kind": kind, "which": which, "most": most}
        await connection.execute(_HEARD.format(**words))
        await connection.execute("INSERT INTO subscription VALUES ($1, '2020-01-01')", topic)
    words = {
        "most": most, "person": _PERSON.format(most=most), "qualified": _QUALIFIED,
        "merged": _MERGED, "erased": _ERASED, "given_up": _GIVEN_UP,
    }  # fmt: skip
    for statement in (_SUBJECTS, *OWN[service]):
        await connection.execute(statement.format(**words))
    await connection.execute("VACUUM (ANALYZE)")


async def _make_days(connection: asyncpg.Connection, table: str) -> None:
    """Make the day partitions that the janitor would have made by and by."""
    today = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
    for ahead in range(-DAYS - 1, 8):
        day = today + timedelta(days=ahead)
        low, high = (
            str(first_id_of(moment)) if table == "submission" else moment.isoformat()
            for moment in (day, day + timedelta(days=1))
        )
        words = {"table": table, "name": f"{day:%Y%m%d}", "low": low, "high": high}
        await connection.execute(_DAY.format(**words))
