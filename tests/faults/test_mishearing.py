"""What comes twice, too early, broken or too late has its one effect, or parks its own lead."""

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.figures import sized
from tests.faults.rig.code import plant
from tests.faults.scenarios import mishearing, relaying

SEEDS = range(1, sized(1, 20) + 1)


@pytest.mark.parametrize("seed", SEEDS)
async def test_events_that_come_twice_and_out_of_order_take_effect_once_and_in_order(
    make_rig: MakeRig, seed: int
) -> None:
    rig = await make_rig("lead_scoring")

    assert await mishearing.twice_and_out_of_order(rig, seed=seed) == {}


async def test_a_value_that_the_database_refuses_costs_one_lead(make_rig: MakeRig) -> None:
    rig = await make_rig("lead_scoring")

    assert await mishearing.a_value_that_the_database_refuses(rig) == {}


async def test_an_erased_lead_stays_erased_whatever_still_comes(make_rig: MakeRig) -> None:
    rig = await make_rig("lead_scoring")

    assert await mishearing.erased_while_events_are_on_their_way(rig) == {}


async def test_an_event_that_kills_its_hearer_parks_its_lead(
    make_rig: MakeRig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    code = plant("deploys/killed-by-an-event", into=tmp_path_factory.mktemp("code"))
    rig = await make_rig("lead_scoring", code=code)

    assert await mishearing.an_event_that_kills(rig) == {}
    assert rig.kills >= 3


async def test_a_row_that_commits_late_is_sent_all_the_same(make_rig: MakeRig) -> None:
    rig = await make_rig("marketing_intake")

    assert await relaying.a_row_that_commits_late(rig) == {}


async def test_two_workers_resolve_and_send_everything_once(make_rig: MakeRig) -> None:
    rig = await make_rig("marketing_intake")

    assert await relaying.two_workers(rig) == {}
