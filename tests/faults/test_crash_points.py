"""SIGKILL between any two steps of a handoff, three times each, while work comes in (P1 to P3)."""

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.scenarios import crashing
from tests.faults.scenarios.crashing import points_of

pytestmark = pytest.mark.timeout(600)


async def test_a_kill_between_any_two_steps_of_capturing_loses_no_lead(make_rig: MakeRig) -> None:
    rig = await make_rig("marketing_intake")

    assert await crashing.intake(rig, api=points_of("capture")) == {}
    assert rig.kills == 6


async def test_a_kill_between_any_two_steps_of_resolving_loses_no_lead(make_rig: MakeRig) -> None:
    rig = await make_rig("marketing_intake")

    assert await crashing.intake(rig, worker=points_of("resolve")) == {}
    assert rig.kills == 9


async def test_a_kill_between_any_two_steps_of_relaying_loses_no_event(make_rig: MakeRig) -> None:
    rig = await make_rig("marketing_intake")

    assert await crashing.intake(rig, worker=points_of("relay")) == {}
    assert rig.kills == 15


async def test_a_kill_between_any_two_steps_of_hearing_repeats_no_effect(make_rig: MakeRig) -> None:
    rig = await make_rig("lead_scoring")
    steps = ["after_poll", "before_commit", "after_commit", "after_offset"]
    points = [f"consumer.{step}:{number}" for number in (1, 2, 3) for step in steps]
    points += 3 * ["consumer.joined"]  # a process joins its group once

    assert await crashing.hearing(rig, worker=points) == {}
    assert rig.kills == len(points)


async def test_a_kill_between_any_two_steps_of_a_timer_rings_once(make_rig: MakeRig) -> None:
    rig = await make_rig("notifier")

    assert await crashing.ringing(rig, worker=points_of("timer")) == {}
    assert rig.kills == 9
