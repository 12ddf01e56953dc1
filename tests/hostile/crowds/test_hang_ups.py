"""10,000 clients that hang up half-way (1,000 where tests are small), with a goodbye or without.

Nothing is left of them but what they sent whole, and that at most once.
"""

from collections import Counter

import pytest
from tests.faults.figures import Figure, sized
from tests.hostile.crowds.hang_up import HALF, KINDS, WHOLE
from tests.hostile.crowds.intake import Intake, calm
from tests.hostile.crowds.program import gather

EACH = sized(200, 2_000)
AT_ONCE = 200
MEGABYTES = 20
POOLS = 13
GONE_WITHIN = 30.0


async def _hang_up(intake: Intake, each: int, *, first: int, seed: int) -> dict[str, list[int]]:
    host = intake.process.url.removeprefix("http://")
    large = f"GET /openapi.json HTTP/1.1\r\nHost: {host}\r\n\r\n"
    plan = {"port": intake.port, "each": each, "at_once": AT_ONCE, "large": large}
    plan |= {"first": first, "seed": seed, **intake.around("gone")}
    return await gather(plan, "hang_up")


@pytest.mark.timeout(240)
async def test_who_hangs_up_half_way_leaves_nothing_behind(intake: Intake, figure: Figure) -> None:
    # The first crowd fills what is kept between requests: pools, and memory that is used again.
    await _hang_up(intake, EACH, first=0, seed=1)
    await calm(intake, await intake.held(), within=GONE_WITHIN)
    before, memory = await intake.held(), intake.memory()
    sent = await _hang_up(intake, EACH, first=EACH * len(KINDS), seed=2)
    after = await calm(intake, before, within=GONE_WITHIN)
    grown = intake.memory() - memory
    whole = [number for kind in WHOLE for number in sent[kind]]
    half = [number for kind in HALF for number in sent[kind]]
    stored = await intake.stored("gone", whole)
    figure("hang-ups: how many", f"{EACH * len(KINDS):,}", goal="1,000 small, 10,000 in full")
    figure("hang-ups: memory afterwards, megabytes more", grown, goal=f"≤ {MEGABYTES}")
    figure("hang-ups: stored of what came whole", f"{len(stored):,}", goal="each at most once")

    assert {kind: len(numbers) for kind, numbers in sent.items()} == dict.fromkeys(KINDS, EACH)
    assert after.files <= before.files
    assert after.tasks <= before.tasks
    assert after.backends <= POOLS
    assert (after.busy, after.locks) == (0, 0)
    assert [number for number, times in Counter(stored).items() if times > 1] == []
    assert set(stored) >= set(sent[WHOLE[1]])
    assert await intake.stored("gone", half) == []
    assert grown <= MEGABYTES
    assert await intake.answers() == 202
