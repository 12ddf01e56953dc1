"""The connection to Postgres is cut at each statement of each use case: no effect is lost (D3)."""

from collections.abc import Awaitable, Callable

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.figures import Figure, sized
from tests.faults.rig.rig import Rig
from tests.faults.scenarios import cutting
from tests.faults.scenarios.cutting import Cuts

CASES: dict[str, tuple[str, Callable[[Rig], Awaitable[Cuts]]]] = {
    "a deal is opened for a qualified lead": ("sales_pipeline", cutting.hearing),
    "a rep moves a deal": ("sales_pipeline", cutting.editing),
    "a task's time comes": ("notifier", cutting.ringing),
}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("case", CASES)
async def test_a_cut_at_any_statement_costs_nothing(
    make_rig: MakeRig, figure: Figure, case: str
) -> None:
    service, scenario = CASES[case]

    done = await scenario(await make_rig(service))

    assert done.findings == {}
    assert min(done.cuts, done.commits) > 0
    figure(f"Cut at each statement while {case}: cuts", done.cuts, goal="printed")


@pytest.mark.timeout(400)
async def test_a_lead_whose_answer_is_lost_is_asked_for_again_and_is_one(
    make_rig: MakeRig, figure: Figure
) -> None:
    times = sized(20, 200)

    done = await cutting.intake(await make_rig("marketing_intake"), in_doubt=times)

    assert done.findings == {}
    assert done.in_doubt == times
    assert done.commits > 0
    figure("Cut at each statement while a lead comes in: cuts", done.cuts, goal="printed")
    figure("Stored, and the answer cut off, times", done.in_doubt, goal="printed")
