"""Two replicas of every worker: coming and going, standing still past their time (K7, P5)."""

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.figures import Figure, sized
from tests.faults.rig.load import AT_ONCE
from tests.faults.rig.rig import SERVICES
from tests.faults.scenarios import members

WINDOW = 10.0


@pytest.mark.timeout(600)
async def test_leads_go_on_while_workers_keep_coming_and_going(
    make_rig: MakeRig, figure: Figure, seed: int
) -> None:
    rig = await make_rig(*SERVICES)

    seen = await members.coming_and_going(
        rig, seconds=sized(21, 300), window=WINDOW, every=3.0, seed=seed
    )

    figure("workers come and go: fewest leads scored in 10 s", min(seen.windows), goal="> 0")
    assert seen.broken == {}
    assert seen.not_taken == 0
    assert min(seen.windows) > 0


@pytest.mark.timeout(600)
async def test_workers_that_stood_still_past_their_time_have_no_second_effect(
    make_rig: MakeRig, figure: Figure
) -> None:
    rig, times = await make_rig("marketing_intake", "lead_scoring"), sized(1, 6)

    seen = await members.standing_still(rig, times=times)

    stood = max(seen.stood)
    figure("workers stand still: seconds until the others did it all", stood, goal="≤ 30")
    assert seen.broken == {}
    assert seen.not_taken == 0
    assert seen.still_relaying == 0
    assert seen.overtaken == 2 * times
    assert min(seen.open_requests) > 0
    assert max(seen.late) <= AT_ONCE
    assert stood <= 30
