"""How the benchmarks measure: between two samples of the floor, in rounds, by one client.

Figures are printed and kept in `.build/figures/load.json`. They fail only below half of what was
measured first: these are clocks on shared machines. `HANDOFF_ROUNDS` sets the rounds (5 or more for
a report).
"""

import itertools
import json
import os
import statistics
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from tests.load.client import Sample, load, request
from tests.load.product import Product, a_lead, floor, ready
from tests.stack.keys import bearer

ROUNDS = int(os.environ.get("HANDOFF_ROUNDS", "3"))
SECONDS = 2.0
WARM_UP = 3.0
WARM_UP_LEADS = 500
FIGURES = Path(__file__).resolve().parents[2] / ".build" / "figures" / "load.json"

Measure = Callable[[], Awaitable[float]]


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
    async with httpx.AsyncClient(headers=bearer(key)) as client:
        body = {"name": "Load", "kind": "api", "channel": "advertising"}
        answer = await client.post(f"{url}/v1/sources", json=body)
        return answer.json()["id"]


class Posting:
    """Posts leads to the product and to the floor, with the same client."""

    def __init__(self, intake: str, key: str, source_id: str, noop: str) -> None:
        self._numbers = itertools.count()
        self._intake, self._noop = f"{intake}/v1/leads", noop
        self._headers = bearer(key)
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


@asynccontextmanager
async def posting_to(product: Product) -> AsyncGenerator[Posting]:
    """Start the intake's API and the floor, warm both up, and end the floor after the block."""
    intake = await product.start("marketing_intake", "api")
    key = await product.key("marketing_intake", "leads:write", "sources:write")
    with floor("noop") as noop:
        await ready(noop.replace("/leads", "/openapi.json"))
        posting = Posting(intake, key, await _source(intake, key), noop)
        await posting.to_product(at_once=16, seconds=WARM_UP, most=WARM_UP_LEADS)
        await posting.to_floor(at_once=16)
        yield posting
