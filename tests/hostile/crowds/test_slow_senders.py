"""Five kinds of slow senders, 2,000 connections of each at once (200 where tests are small).

All are closed in time, and who sends a lead meanwhile waits hardly longer than before.
"""

import asyncio
import itertools
import json
from typing import Any

import pytest
from tests.faults.figures import Figure, is_full, sized
from tests.hostile.crowds.intake import Intake
from tests.hostile.crowds.program import gather
from tests.hostile.crowds.slow import KINDS, SLOW_BODIES, SLOW_HEADS
from tests.hostile.crowds.steady import Answers, Steady, steadily

from shared import limits

EACH = sized(200, 2_000)
BEGIN_WITHIN = 4.0
GOOD_A_SECOND = 50
BEFORE_SECONDS = sized(6, 15)
# A sweep a second; and what the two processes that look at the clock may be late themselves.
LATE = 3.0
# A clock on a shared machine fails only what no other work on it explains.
TIMES, NOISE = 2, 0.005 if is_full() else 0.025


@pytest.mark.timeout(180)
async def test_slow_senders_are_closed_and_delay_nobody(intake: Intake, figure: Figure) -> None:
    numbers = itertools.count()

    def lead() -> bytes:
        return intake.lead(f"good-{next(numbers):09d}")

    async with steadily(intake.port, lead, a_second=GOOD_A_SECOND) as steady:
        alone, beside, crowd = await _measured(intake, steady)
    _keep(figure, crowd, beside.p99() / alone.p99())

    assert {kind: (of["begun"], of["closed"]) for kind, of in crowd.items()} == dict.fromkeys(
        KINDS, (EACH, EACH)
    )
    assert {kind: of["told_408"] for kind, of in crowd.items()} == dict.fromkeys(KINDS, EACH)
    assert _longest(crowd, SLOW_HEADS) < limits.REQUEST_HEAD + LATE
    assert _longest(crowd, SLOW_BODIES) < limits.REQUEST_BODY + LATE
    assert set(alone.statuses | beside.statuses) == {202}
    assert beside.usual_worst() < TIMES * alone.usual_worst() + NOISE
    assert not is_full() or beside.p99() < TIMES * alone.p99() + NOISE


async def _measured(intake: Intake, steady: Steady) -> tuple[Answers, Answers, dict[str, Any]]:
    """Return the answers before the crowd and beside it, and what the crowd saw."""
    head, _, body = intake.lead("slow").decode().partition("\r\n\r\n")
    plan = {
        "port": intake.port,
        "each": EACH,
        "a_second": EACH * len(KINDS) / BEGIN_WITHIN,
        "head": f"{head}\r\n\r\n",
        "body": json.dumps({"much": "x" * len(body)}),
        "within": 2 * limits.REQUEST_BODY,
    }
    await asyncio.sleep(1)
    steady.take()
    await asyncio.sleep(BEFORE_SECONDS)
    alone = steady.take()
    crowd = await gather(plan, "slow")
    return alone, steady.take(), crowd


def _keep(figure: Figure, crowd: dict[str, Any], times: float) -> None:
    figure(
        "slow senders: connections", f"{EACH * len(KINDS):,}", goal="1,000 small, 10,000 in full"
    )
    figure("slow senders: longest that a head is waited for, seconds",
           _longest(crowd, SLOW_HEADS),
           goal=f"< {limits.REQUEST_HEAD + LATE:g}: 5, and a sweep")  # fmt: skip
    figure("slow senders: longest that a body is waited for, seconds",
           _longest(crowd, SLOW_BODIES),
           goal=f"< {limits.REQUEST_BODY + LATE:g}: 15, and a sweep")  # fmt: skip
    figure(
        "slow senders: p99 of good requests, times that without",
        times,
        goal="in full < 2, and 5 ms",
    )


def _longest(crowd: dict[str, Any], kinds: tuple[str, ...]) -> float:
    return max(crowd[kind]["longest"] for kind in kinds)
