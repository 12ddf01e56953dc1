"""SIGKILL between any two steps of a handoff, three times each, while work comes in (P1 to P3)."""

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.scenarios import crashing, giving_up, half_sent

pytestmark = pytest.mark.timeout(600)


def thrice(*points: str) -> list[str]:
    """Return these crash points at the first pass, at the second, and at the third."""
    return [f"{point}:{passes}" for passes in (1, 2, 3) for point in points]


async def test_a_kill_between_any_two_steps_of_capturing_loses_no_lead(make_rig: MakeRig) -> None:
    rig = await make_rig("marketing_intake")
    points = thrice("capture.before_write", "capture.after_commit")

    assert await crashing.intake(rig, api=points) == {}
    assert rig.kills == len(points)


async def test_a_kill_in_the_middle_of_a_request_stores_nothing_of_it(make_rig: MakeRig) -> None:
    rig = await make_rig("marketing_intake")

    assert await half_sent.leads(rig, times=3) == {}
    assert rig.kills == 3


async def test_a_kill_between_any_two_steps_of_resolving_loses_no_lead(make_rig: MakeRig) -> None:
    rig = await make_rig("marketing_intake")
    points = thrice("resolve.after_read", "resolve.before_commit", "resolve.after_commit")

    assert await crashing.intake(rig, worker=points) == {}
    assert rig.kills == len(points)


async def test_a_kill_between_any_two_steps_of_relaying_loses_no_event(make_rig: MakeRig) -> None:
    rig = await make_rig("marketing_intake")
    sending = thrice("relay.after_read", "relay.after_send", "relay.after_ack")
    archiving = thrice("relay.before_archive", "relay.after_archive")

    assert await crashing.intake(rig, worker=[*sending, *archiving]) == {}
    assert rig.kills == len(sending + archiving)


async def test_a_kill_between_any_two_steps_of_hearing_repeats_no_effect(make_rig: MakeRig) -> None:
    rig = await make_rig("lead_scoring")
    acting = thrice("consumer.after_poll", "consumer.before_commit")
    noting = thrice("consumer.after_commit", "consumer.after_offset")

    assert await crashing.hearing(rig, worker=[*acting, *noting]) == {}
    assert rig.kills == len(acting + noting)


async def test_a_member_that_dies_whenever_it_joins_disturbs_no_other(make_rig: MakeRig) -> None:
    rig = await make_rig("lead_scoring")

    assert await crashing.hearing(rig, worker=["consumer.joined"] * 3, workers=2) == {}
    assert rig.kills == 3


async def test_a_kill_between_any_two_steps_of_parking_parks_what_is_poison_alone(
    make_rig: MakeRig,
) -> None:
    rig = await make_rig("lead_scoring")
    # Not oftener: what is tried alone after two deaths has been tried three times, and is parked.
    counting = ["consumer.counted:1", "consumer.counted:2"]
    parking = thrice("consumer.before_park")

    assert await giving_up.poison(rig, worker=[*counting, *parking]) == {}
    assert rig.kills == len(counting + parking)


async def test_a_kill_before_an_order_is_done_repeats_none_of_its_effects(
    make_rig: MakeRig,
) -> None:
    rig = await make_rig("lead_scoring")

    assert await giving_up.gaps(rig, worker=thrice("orders.before_done")) == {}
    assert rig.kills == 3


async def test_a_kill_between_any_two_steps_of_a_timer_rings_once(make_rig: MakeRig) -> None:
    rig = await make_rig("notifier")
    points = thrice("timer.locked", "timer.before_commit", "timer.after_commit")

    assert await crashing.ringing(rig, worker=points) == {}
    assert rig.kills == len(points)
