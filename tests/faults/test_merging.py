"""Two leads become one while events of both are in flight, and whoever hears them is killed."""

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.figures import Figure, sized
from tests.faults.rig.rig import SERVICES
from tests.faults.scenarios import merging

PAIRS = sized(40, 1_000)


@pytest.mark.timeout(sized(300, 1_800))
async def test_leads_that_merge_while_their_events_are_on_their_way_are_one_everywhere(
    make_rig: MakeRig, figure: Figure, seed: int
) -> None:
    rig = await make_rig(*SERVICES)

    found, at_work = await merging.while_events_are_on_their_way(rig, pairs=PAIRS, seed=seed)

    figure("merges: SIGKILLs that hit a worker at work", at_work, goal="≥ 3")
    assert found == {}
    assert at_work >= 3
