"""An event that is missing holds up its own stream, until it comes, or a person gives it up."""

from collections.abc import AsyncGenerator

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.invariants import balance
from tests.faults.rig.quiet import quiet
from tests.faults.rig.rig import Rig
from tests.faults.scenarios import deploys
from tests.stack.feeder import Feeder, captured, feeding, updated

from shared.ids import new_id

TOUCHED = "SELECT touchpoints FROM lead_score WHERE lead_id = $1"


@pytest.fixture
async def rig(make_rig: MakeRig) -> Rig:
    return await make_rig("lead_scoring")


@pytest.fixture
async def feeder(rig: Rig) -> AsyncGenerator[Feeder]:
    async with feeding(rig.kafka) as feeder:
        yield feeder


async def test_what_waits_for_a_missing_event_goes_on_when_it_comes_late(
    rig: Rig, feeder: Feeder
) -> None:
    await rig.start("lead_scoring")
    lead, other = new_id(), new_id()
    first, missing, third = (
        feeder.next(event) for event in (captured(lead), updated(lead, 2), updated(lead, 3))
    )
    await feeder.send([first, third])
    await feeder.say(captured(other))
    await quiet(rig, feeder.said)
    meanwhile = await deploys.parked(rig), await rig.one("lead_scoring", TOUCHED, other)
    await feeder.send([missing])

    assert meanwhile == ({"gap": 1}, 1)
    assert await balance(rig, fed=feeder.said) == {}
    assert await rig.one("lead_scoring", TOUCHED, lead) == 3
    assert await deploys.parked(rig) == {}


async def test_a_gap_that_is_discarded_lets_later_events_take_effect_and_the_late_one_none(
    rig: Rig, feeder: Feeder
) -> None:
    await rig.start("lead_scoring")
    door = await rig.start("lead_scoring", "api")
    lead = new_id()
    first, missing, third = (
        feeder.next(event) for event in (captured(lead), updated(lead, 2), updated(lead, 3))
    )
    await feeder.send([first, third])
    await quiet(rig, feeder.said)
    async with await rig.client(door) as client:
        released = await client.post(f"/v1/parked/{lead}/release")
        still = await deploys.parked(rig)
        body = {"reason": "It was lost for good."}
        discarded = await client.post(f"/v1/parked/{lead}/discard", json=body)
    await feeder.send([missing, *(feeder.next(updated(lead, n)) for n in (4, 5))])

    assert await balance(rig, fed=feeder.said) == {}
    assert (released.status_code, still) == (409, {"gap": 1})
    assert "missing" in released.json()["detail"]
    assert (discarded.status_code, discarded.json()["count"]) == (200, 1)
    assert await rig.one("lead_scoring", TOUCHED, lead) == 3
    assert await deploys.parked(rig) == {}
