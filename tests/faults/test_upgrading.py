"""An upgrade and the way back, process by process, while leads come in (D7)."""

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.figures import Figure, is_full
from tests.faults.rig.code import expand, former
from tests.faults.rig.rig import SERVICES
from tests.faults.scenarios.upgrading import Size, there_and_back

HELD = 5.0
SMALL = Size(at_once=2)
FULL = Size(apis=SERVICES, workers=2, alone=200, within=300.0)


@pytest.mark.timeout(1_200)
async def test_an_upgrade_and_the_way_back_under_load_refuse_lose_and_double_nothing(
    make_rig: MakeRig, figure: Figure, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    size = FULL if is_full() else SMALL
    name, before = former(into=tmp_path_factory.mktemp("before"))
    after = expand(into=tmp_path_factory.mktemp("after"))
    rig = await make_rig(*SERVICES, migrated=False)

    seen = await there_and_back(rig, before, after, size, seed=seed)

    failed = seen.ledger.not_taken + seen.asked.answers.total() - seen.asked.answers[200]
    figure("upgrade, back and again under load: from", name, goal="printed")
    figure("upgrade, back and again under load: requests that failed", failed, goal="0")
    figure("upgrade: slowest request while tables changed, seconds", seen.held, goal="≤ 5")
    print(f"events said: {seen.alone} alone, {seen.together} together; lists: {seen.asked}")
    assert seen.broken == {}
    assert (seen.ledger.not_taken, dict(seen.ledger.unknown)) == (0, {})
    assert set(seen.asked.answers) == {200}
    assert seen.gave_way
    assert seen.held <= HELD + seen.usual
    assert min(seen.together) > 0
    assert min(seen.alone) >= size.alone
    assert set(seen.ends) == {0}
    assert not seen.versions[before] & seen.versions[after]
    assert len(seen.versions[before]) == len(seen.versions[after]) == len(SERVICES)
