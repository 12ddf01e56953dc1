"""How much disk a million leads take: measured on leads that went through the whole product.

`HANDOFF_LEADS=20000` for figures to be printed; they are extrapolated by leads, as each table grows
with them. What an empty installation takes is measured first and left out.
"""

import asyncio
import json
import os
from collections.abc import Mapping

import asyncpg
import pytest
from tests.load.measuring import FIGURES, posting_to
from tests.load.product import PACKAGES, Product

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
async def test_a_lead_takes_no_more_disk_than_was_measured_first(product: Product) -> None:
    for package in PACKAGES:
        await product.start(package, "worker")
    async with posting_to(product) as posting:
        await _quiet(product)
        before, log_before = await _sizes(product), await _log_bytes(product)
        leads_before = await _one(product, "marketing_intake", "SELECT count(*) FROM lead")
        await posting.to_product(at_once=16, seconds=WITHIN, most=LEADS)
        await _quiet(product)
    leads = await _one(product, "marketing_intake", "SELECT count(*) FROM lead") - leads_before
    grown = _grown(before, await _sizes(product))
    kafka = await _log_bytes(product) - log_before
    _report(grown, kafka, leads)
    total = sum(bytes_ for bytes_, _ in grown.values()) + kafka

    assert leads == LEADS
    assert total / leads < TWICE_OF_FIRST


async def _quiet(product: Product) -> None:
    """Wait until every submission became a task, and nothing is on its way."""
    async with asyncio.timeout(WITHIN):
        still = 0
        while still < 3:
            await asyncio.sleep(1)
            still = still + 1 if await _is_quiet(product) else 0
    for package in PACKAGES:
        connection = await asyncpg.connect(product.databases[package], ssl=False)
        await connection.execute("VACUUM")
        await connection.close()


async def _is_quiet(product: Product) -> bool:
    open_ones = "SELECT count(*) FROM submission WHERE outcome IS NULL"
    if await _one(product, "marketing_intake", open_ones):
        return False
    for package in PACKAGES:
        if await _one(product, package, "SELECT count(*) FROM outbox"):
            return False
    leads = await _one(product, "marketing_intake", "SELECT count(*) FROM lead")
    return leads == await _one(product, "notifier", "SELECT count(*) FROM task")


async def _one(product: Product, package: str, sql: str) -> int:
    connection = await asyncpg.connect(product.databases[package], ssl=False)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def _sizes(product: Product) -> Sizes:
    found: Sizes = {}
    for package in PACKAGES:
        connection = await asyncpg.connect(product.databases[package], ssl=False)
        for row in await connection.fetch(_SIZES):
            found[package, row["name"]] = (row["bytes"], row["indexes"])
        await connection.close()
    return found


def _grown(before: Mapping[tuple[str, str], tuple[int, int]], after: Sizes) -> Sizes:
    grown = {
        name: (size[0] - before[name][0], size[1] - before[name][1]) for name, size in after.items()
    }
    return {name: size for name, size in grown.items() if size[0] > 0}


async def _log_bytes(product: Product) -> int:
    """Return what Kafka's logs hold of our topics."""
    directory = product.stack.directory / "kafka" / "data"
    prefix = product.kafka.topic_prefix
    return sum(f.stat().st_size for f in directory.glob(f"{prefix}*/*.log"))


def _report(grown: Sizes, kafka: int, leads: int) -> None:
    """Print a table for docs/operating.md, and keep the sums."""
    print(f"\n{leads} leads\n\n| Database | Table | bytes a lead | of it indexes | GB a million |")
    print("|---|---|---|---|---|")
    sums: dict[str, int] = {}
    for (package, table), (size, indexes) in sorted(grown.items(), key=lambda each: -each[1][0]):
        sums[package] = sums.get(package, 0) + size
        if size / leads >= 10:
            print(_line(package, f"`{table}`", size, indexes, leads))
    for package, size in (sums | {"Kafka, one copy": kafka}).items():
        print(_line(f"**{package}**", "all", size, None, leads))
    known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    figures = {name: round(size / leads) for name, size in (sums | {"kafka": kafka}).items()}
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(known | {"bytes_per_lead": figures}, indent=2) + "\n")


def _line(database: str, table: str, size: int, indexes: int | None, leads: int) -> str:
    of_indexes = "" if indexes is None else f"{indexes / leads:.0f}"
    gigabytes = size / leads * MILLION / (1000 * MEGABYTE)
    return f"| {database} | {table} | {size / leads:.0f} | {of_indexes} | {gigabytes:.2f} |"
