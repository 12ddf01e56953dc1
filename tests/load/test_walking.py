"""The speed of the whole walk, POST to task, as a ratio to a no-op in the same run."""

import asyncio
import time

import asyncpg
import pytest
from tests.load.measuring import Posting, keep, posting_to, ratio
from tests.load.product import PACKAGES, Product

LEADS = 1500
HALF_OF_FIRST = 0.038
TASKS = "SELECT count(*) FROM task"


@pytest.mark.timeout(300)
async def test_the_whole_walk_is_a_fair_share_of_a_no_op(product: Product) -> None:
    async with posting_to(product) as posting:
        for package in PACKAGES:
            await product.start(package, "worker")
        await _drained(product)
        median = keep("walk", await _walking(product, posting))

    assert median >= HALF_OF_FIRST


async def _walking(product: Product, posting: Posting) -> list[float]:
    async def walk() -> float:
        return await _walk(product, posting, LEADS)

    return await ratio(walk, lambda: posting.to_floor(at_once=64))


async def _drained(product: Product) -> None:
    """Wait until the leads of the warm-up have gone the whole way."""
    counts = {"marketing_intake": "SELECT count(*) FROM submission", "notifier": TASKS}
    while True:
        leads, tasks = [await _count(product, package, sql) for package, sql in counts.items()]
        if tasks >= leads:
            return
        await asyncio.sleep(0.2)


async def _walk(product: Product, posting: Posting, leads: int) -> float:
    """Send leads and wait until each has its task; return leads a second."""
    before = await _count(product, "notifier", TASKS)
    began = time.perf_counter()
    await posting.to_product(at_once=64, seconds=120, most=leads)
    while await _count(product, "notifier", TASKS) < before + leads:
        await asyncio.sleep(0.05)
    return leads / (time.perf_counter() - began)


async def _count(product: Product, package: str, sql: str) -> int:
    connection = await asyncpg.connect(product.databases[package], ssl=False)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()
