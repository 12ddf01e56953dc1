"""The database is there and does not answer: swallowed, slow, full, a row held by somebody (D4)."""

import asyncio

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.figures import Figure, Within, is_full, sized
from tests.faults.ledger import Ledger
from tests.faults.rig.between import between
from tests.faults.rig.proxy import Proxy
from tests.faults.scenarios import ageing, held, outages

from shared import limits

_DELAY = Within(6)
_EMPTY_POLL_MILLISECONDS = Within(5)
_SLOW = 1.0  # seconds each way, so that an answer takes two


@pytest.mark.timeout(400)
async def test_every_answer_comes_in_time_while_the_database_gives_none(
    make_rig: MakeRig, figure: Figure
) -> None:
    rig, ledger = await make_rig("marketing_intake"), Ledger()
    async with between(rig) as (hidden, proxy):
        door = await outages.start(hidden, "marketing_intake")

        async def swallow(_ledger: Ledger) -> None:
            await _swallow(proxy)

        felt = limits.API.driver
        assert await outages.through(rig, door, swallow, ledger, felt=felt, within=90) == {}
        figure("Database swallows everything: slowest answer, seconds", ledger.slowest,
               goal=f"≤ {outages.IN_TIME:.0f}")  # fmt: skip

        async def slow(_ledger: Ledger) -> None:
            proxy.delay = _SLOW
            await asyncio.sleep(sized(8, 30))
            proxy.delay = 0

        assert await outages.through(rig, door, slow, ledger, felt=2 * _SLOW) == {}
        figure("Database 2 s away: slowest answer, seconds", ledger.slowest,
               goal=f"≤ {outages.IN_TIME:.0f}")  # fmt: skip

        async def fill(_ledger: Ledger) -> None:
            async with outages.full(rig):
                await asyncio.sleep(sized(4, 15))

        felt = limits.POOL_ACQUIRE
        assert await outages.through(rig, door, fill, ledger, felt=felt) == {}
        assert min(proxy.swallowed, proxy.delayed) > 0
        figure("Database takes no connection: slowest answer, seconds", ledger.slowest,
               goal=f"≤ {outages.IN_TIME:.0f}")  # fmt: skip


@pytest.mark.timeout(240)
async def test_a_lead_that_somebody_holds_waits_alone(make_rig: MakeRig, figure: Figure) -> None:
    rig = await make_rig("sales_pipeline")

    result = await held.one_lead(rig, seconds=sized(8, 30))

    assert result.findings == {}
    assert set(result.answers) == {503}
    assert set(result.others) == {201}
    assert result.busy > 0
    figure("A lead is held: slowest answer about it, seconds", result.slowest_answer,
           goal=f"< {limits.HANDLER:.0f}")  # fmt: skip
    figure("A lead is held: longest delay of another's event, seconds", result.innocent_delay,
           goal=_DELAY)  # fmt: skip
    assert result.slowest_answer < limits.HANDLER
    assert result.innocent_delay <= _DELAY.here


async def test_deadlocks_are_tried_again(make_rig: MakeRig, figure: Figure) -> None:
    times = sized(3, 20)

    found, deadlocks = await held.deadlocks(await make_rig("sales_pipeline"), times=times)

    assert found == {}
    assert deadlocks > 0
    figure("Deadlocks with the consumer", deadlocks, goal="> 0")


async def test_what_postgres_cannot_serialize_is_tried_again(
    make_rig: MakeRig, figure: Figure
) -> None:
    rig = await make_rig("sales_pipeline")

    found, refused = await held.serialization_failures(rig, leads=sized(15, 100))

    assert found == {}
    assert refused > 0
    figure("Batches refused as not serializable", refused, goal="> 0")


async def test_an_old_snapshot_makes_an_empty_poll_read_what_is_dead_and_no_more(
    make_rig: MakeRig, figure: Figure
) -> None:
    rig, events = await make_rig("marketing_intake"), sized(5_000, 50_000)

    before, after = await ageing.an_old_snapshot(rig, events=events)

    figure("Empty poll of the outbox under an old snapshot, dead events", events, goal="printed")
    figure(
        "Empty poll of the outbox under an old snapshot, pages read",
        after.buffers,
        goal="≤ 1 for ten dead events",
    )
    figure(
        "Empty poll of the outbox under an old snapshot, milliseconds",
        after.milliseconds,
        goal=_EMPTY_POLL_MILLISECONDS,
    )
    assert before.buffers < 20
    assert after.buffers <= events / 10
    assert after.milliseconds <= _EMPTY_POLL_MILLISECONDS.here


async def _swallow(proxy: Proxy) -> None:
    """Swallow for longer than the API's driver waits; in full, let the worker's wait end too."""
    proxy.swallowing = True
    await asyncio.sleep(limits.API.driver + 3)
    proxy.swallowing = False
    if not is_full():
        proxy.cut()
