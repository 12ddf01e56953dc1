"""The speed of the accepting door and of the whole walk, as ratios to a no-op in the same run.

Figures are printed and kept in `.build/figures/load.json`. They fail only below half their goal:
these are clocks on shared machines. `HANDOFF_ROUNDS` sets the rounds (5 or more for a report).
"""

import asyncio
import itertools
import json
import os
import statistics
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import asyncpg
import httpx
import pytest
from tests.load.client import Sample, load, request
from tests.load.product import PACKAGES, Product, a_lead, floor, make, ready
from tests.stack.fixtures import DatabaseFor
from tests.stack.running import Stack

from shared.settings import KafkaSettings

ROUNDS = int(os.environ.get("HANDOFF_ROUNDS", "3"))
SECONDS = 2.0
WALK_LEADS = 1500
FIGURES = Path(__file__).resolve().parents[2] / ".build" / "figures" / "load.json"
HALF_OF_GOAL = {"accept_c64": 0.30, "accept_c1": 0.15, "walk": 0.075}

Measure = Callable[[], Awaitable[float]]


@pytest.fixture(scope="module")
async def product(
    stack: Stack,
    kafka_settings: KafkaSettings,
    database_for: DatabaseFor,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[Product]:
    product = await make(stack, kafka_settings, database_for, tmp_path_factory.mktemp("logs"))
    yield product
    product.stop()


async def ratio(measure: Measure, of_floor: Measure, *, rounds: int = ROUNDS) -> list[float]:
    """Measure between two samples of the floor, so many times; return the ratios."""
    ratios: list[float] = []
    for _ in range(rounds):
        before = await of_floor()
        measured = await measure()
        ratios.append(measured / statistics.mean([before, await of_floor()]))
    return ratios


def keep(name: str, ratios: list[float]) -> float:
    """Print a figure and write it down; return its median."""
    figure = {
        "min": round(min(ratios), 3),
        "median": round(statistics.median(ratios), 3),
        "max": round(max(ratios), 3),
        "rounds": len(ratios),
    }
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    FIGURES.write_text(json.dumps(known | {name: figure}, indent=2) + "\n")
    print(f"{name}: {figure}")
    return figure["median"]


async def _source(url: str, key: str) -> str:
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as client:
        body = {"name": "Load", "kind": "api", "channel": "advertising"}
        answer = await client.post(f"{url}/v1/sources", json=body)
        return answer.json()["id"]


class Posting:
    """Posts leads to the product and to the floor, with the same client."""

    def __init__(self, intake: str, key: str, source_id: str, noop: str) -> None:
        self._numbers = itertools.count()
        self._intake, self._noop = f"{intake}/v1/leads", noop
        self._headers = {"Authorization": f"Bearer {key}"}
        self._source_id = source_id

    def _lead(self, url: str, headers: dict[str, str]) -> bytes:
        return request(url, a_lead(next(self._numbers), source_id=self._source_id), headers)

    async def to_product(self, *, at_once: int, seconds: float, most: int = 10**9) -> Sample:
        sample = await load(
            self._intake, lambda: self._lead(self._intake, self._headers),
            at_once=at_once, seconds=seconds, most=most,
        )  # fmt: skip
        assert set(sample.statuses) == {202}, sample.statuses
        return sample

    async def to_floor(self, *, at_once: int) -> float:
        sample = await load(
            self._noop, lambda: self._lead(self._noop, {}), at_once=at_once, seconds=SECONDS
        )
        assert set(sample.statuses) == {202}, sample.statuses
        return sample.rate


@pytest.mark.timeout(600)
async def test_speed_as_ratios_to_a_no_op(product: Product) -> None:
    intake = await product.start("marketing_intake", "api")
    key = await product.key("marketing_intake", "leads:write", "sources:write")
    with floor("noop") as noop:
        await ready(noop.replace("/leads", "/openapi.json"))
        posting = Posting(intake, key, await _source(intake, key), noop)
        await posting.to_product(at_once=16, seconds=2.0)
        await posting.to_floor(at_once=16)
        medians = {
            f"accept_c{c}": keep(f"accept_c{c}", await _accepting(posting, c)) for c in (1, 64)
        }
        await _tail(posting)
        for package in PACKAGES:
            await product.start(package, "worker")
        await _drained(product)
        medians["walk"] = keep("walk", await _walking(product, posting))

    assert {name: m for name, m in medians.items() if m < HALF_OF_GOAL[name]} == {}


async def _accepting(posting: Posting, at_once: int) -> list[float]:
    async def accept() -> float:
        return (await posting.to_product(at_once=at_once, seconds=SECONDS)).rate

    return await ratio(accept, lambda: posting.to_floor(at_once=at_once))


async def _tail(posting: Posting) -> None:
    samples = [await posting.to_product(at_once=16, seconds=SECONDS) for _ in range(ROUNDS)]
    keep("p99_over_p50_c16", [s.quantile(0.99) / s.quantile(0.5) for s in samples])


async def _walking(product: Product, posting: Posting) -> list[float]:
    async def walk() -> float:
        before = await _tasks(product)
        began = time.perf_counter()
        await posting.to_product(at_once=64, seconds=120, most=WALK_LEADS)
        while await _tasks(product) < before + WALK_LEADS:
            await asyncio.sleep(0.05)
        return WALK_LEADS / (time.perf_counter() - began)

    return await ratio(walk, lambda: posting.to_floor(at_once=64))


async def _tasks(product: Product) -> int:
    return await _count(product, "notifier", "SELECT count(*) FROM task")


async def _drained(product: Product) -> None:
    """Wait until what the accepting rounds left behind went the whole way."""
    async with asyncio.timeout(300):
        while True:
            leads = await _count(product, "marketing_intake", "SELECT count(*) FROM submission")
            if await _tasks(product) >= leads:
                return
            await asyncio.sleep(0.5)


async def _count(product: Product, package: str, sql: str) -> int:
    connection = await asyncpg.connect(product.databases[package], ssl=False)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()
