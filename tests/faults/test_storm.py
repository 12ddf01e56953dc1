"""SIGKILL is normal life: all processes of all services die at random, and the books balance."""

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.figures import Figure, sized
from tests.faults.rig.rig import SERVICES
from tests.faults.scenarios.storm import random_kills

LEADS = sized(5_000, 100_000)
KILLS = sized(110, 1_950)
A_SECOND = sized(80, 110)
PAUSE = 0.6 / sized(1, 2)


@pytest.mark.timeout(sized(600, 7_200))
async def test_nothing_is_lost_or_doubled_while_every_process_is_killed_at_random(
    make_rig: MakeRig, figure: Figure, seed: int
) -> None:
    rig = await make_rig(*SERVICES)

    storm = await random_kills(
        rig, leads=LEADS, a_second=A_SECOND, kills=KILLS, seed=seed, pause=PAUSE
    )

    print(f"{rig.kills} kills, {storm.at_work} at work, attempts {dict(storm.ledger.attempts)}")
    figure("storm: leads", LEADS, goal="≥ 5,000, in full 100,000")
    figure("storm: SIGKILLs", rig.kills, goal="≥ 110, in full 1,950")
    figure("storm: kills that hit a process at work", storm.at_work, goal="> half")
    figure("storm: sound leads that were suspected", storm.suspected, goal="≤ 1, in full 10")
    figure("storm: seconds from the last fault to balance", storm.seconds_to_balance, goal="≤ 30")
    assert storm.broken == {}
    assert storm.suspected <= sized(1, 10)
    assert len(storm.ledger.receipts) == LEADS
    assert (storm.ledger.refused, dict(storm.ledger.wrong)) == ({}, {})
    assert storm.at_work > KILLS / 2
    assert storm.seconds_to_balance <= 30
