"""Two leads become one while events of both are in flight, and whoever hears them is killed."""

import os

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.figures import Figure, sized
from tests.faults.rig.rig import SERVICES
from tests.faults.scenarios import merging

PAIRS = sized(40, 1_000)
SEED = int(os.environ.get("HANDOFF_SEED", "1"))


@pytest.mark.timeout(sized(180, 1_800))
async def test_leads_that_merge_while_their_events_are_on_their_way_are_one_everywhere(
    make_rig: MakeRig, figure: Figure
) -> None:
    rig = await make_rig(*SERVICES)
    print(f"seed {SEED}")

    found = await merging.while_events_are_on_their_way(rig, pairs=PAIRS, seed=SEED)

    figure("merges while events are in flight", PAIRS, goal="each is one lead everywhere")
    figure("merges: SIGKILLs meanwhile", rig.kills, goal="at work")
    assert found == {}
    assert rig.kills >= 3
