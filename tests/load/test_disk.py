"""How much disk a million leads take: measured on leads that went through the whole product.

`HANDOFF_LEADS=20000` for figures to be printed; they are extrapolated by leads, as each table grows
with them. What an empty installation takes is measured first and left out.
"""

import asyncio
import os
from collections.abc import Mapping

import pytest

from handoff.bench.installation import Installation
from handoff.bench.product import open_product
from handoff.services import DATABASES

LEADS = int(os.environ.get("HANDOFF_LEADS", "2000"))
MILLION = 1_000_000
MEGABYTE = 1_000_000
TWICE_OF_FIRST = 40_000
WITHIN = 900.0

# A table by day counts as one; TOAST and indexes belong to their table.
_SIZES = """
    SELECT coalesce(p.relname, c.relname) AS name,
           sum(pg_total_relation_size(c.oid))::bigint AS bytes,
           sum(pg_indexes_size(c.oid))::bigint AS indexes
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
    WHERE c.relkind = 'r' AND n.nspname = 'public'
    GROUP BY 1
"""

Sizes = dict[tuple[str, str], tuple[int, int]]


@pytest.mark.timeout(WITHIN + 60)
async def test_a_lead_takes_no_more_disk_than_was_measured_first(
    installation: Installation,
) -> None:
    api = installation.specs("api", of="marketing-intake")
    async with installation.having(*api, *installation.specs("worker")):
        product = await open_product(installation)
        await _quiet(installation)
        before, log_before = await _sizes(installation), _log_bytes(installation)
        await product.load(at_once=16, seconds=WITHIN, most=LEADS)
        await _quiet(installation)
        leads = await _one(installation, "marketing_intake", "SELECT count(*) FROM lead")
        grown = _grown(before, await _sizes(installation))
    kafka = _log_bytes(installation) - log_before
    _report(grown, kafka, leads)
    total = sum(bytes_ for bytes_, _ in grown.values()) + kafka

    assert leads == LEADS
    assert total / leads < TWICE_OF_FIRST


async def _quiet(installation: Installation) -> None:
    """Wait until every submission became a task, and nothing is on its way."""
    async with asyncio.timeout(WITHIN):
        still = 0
        while still < 3:
            await asyncio.sleep(1)
            still = still + 1 if await _is_quiet(installation) else 0
    for database in DATABASES:
        async with installation.opened(database) as connection:
            await connection.execute("VACUUM")


async def _is_quiet(installation: Installation) -> bool:
    open_ones = "SELECT count(*) FROM submission WHERE outcome IS NULL"
    if await _one(installation, "marketing_intake", open_ones):
        return False
    for database in DATABASES:
        if await _one(installation, database, "SELECT count(*) FROM outbox"):
            return False
    leads = await _one(installation, "marketing_intake", "SELECT count(*) FROM lead")
    return leads == await _one(installation, "notifier", "SELECT count(*) FROM task")


async def _one(installation: Installation, database: str, sql: str) -> int:
    async with installation.opened(database) as connection:
        return await connection.fetchval(sql)


async def _sizes(installation: Installation) -> Sizes:
    found: Sizes = {}
    for database in DATABASES:
        async with installation.opened(database) as connection:
            for row in await connection.fetch(_SIZES):
                found[database, row["name"]] = (row["bytes"], row["indexes"])
    return found


def _grown(before: Mapping[tuple[str, str], tuple[int, int]], after: Sizes) -> Sizes:
    grown = {
        name: (size[0] - before[name][0], size[1] - before[name][1]) for name, size in after.items()
    }
    return {name: size for name, size in grown.items() if size[0] > 0}


def _log_bytes(installation: Installation) -> int:
    """Return what Kafka's logs hold of our topics."""
    directory = installation.layout.run / "kafka" / "data"
    return sum(f.stat().st_size for f in directory.glob(f"{installation.prefix}*/*.log"))


def _report(grown: Sizes, kafka: int, leads: int) -> None:
    """Print a table for docs/operating.md."""
    print(f"\n{leads} leads\n\n| Database | Table | bytes a lead | of it indexes | GB a million |")
    print("|---|---|---|---|---|")
    sums: dict[str, int] = {}
    for (package, table), (size, indexes) in sorted(grown.items(), key=lambda each: -each[1][0]):
        sums[package] = sums.get(package, 0) + size
        if size / leads >= 10:
            print(_line(package, f"`{table}`", size, indexes, leads))
    for package, size in (sums | {"Kafka, one copy": kafka}).items():
        print(_line(f"**{package}**", "all", size, None, leads))


def _line(database: str, table: str, size: int, indexes: int | None, leads: int) -> str:
    of_indexes = "" if indexes is None else f"{indexes / leads:.0f}"
    gigabytes = size / leads * MILLION / (1000 * MEGABYTE)
    return f"| {database} | {table} | {size / leads:.0f} | {of_indexes} | {gigabytes:.2f} |"
