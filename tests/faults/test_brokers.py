"""Three brokers: one of them fails and leads go on; two of them fail and leads wait (K2, K3)."""

from collections.abc import AsyncGenerator

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.figures import Figure, is_full
from tests.faults.scenarios import three_brokers
from tests.stack.nodes import Nodes, some_nodes

SERVICES = ("marketing_intake", "lead_scoring")
FELT = 1.0
"""Seconds that scoring is behind at least: a broker is missed after 3 (`nodes.properties`)."""
WITHIN = {"a leader killed": 30, "the controller killed": 30, "a leader standing still": 30}


@pytest.fixture(scope="module")
async def nodes(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Nodes]:
    async with some_nodes(tmp_path_factory.mktemp("kafka"), 3) as nodes:
        yield nodes


@pytest.mark.timeout(300)
async def test_any_one_of_three_brokers_may_fail_and_leads_are_fresh_again_in_seconds(
    make_rig: MakeRig, nodes: Nodes, figure: Figure
) -> None:
    rig = await make_rig(*SERVICES, kafka=nodes.settings())

    seen = await three_brokers.one_of_three(rig, nodes)

    for fault, age in seen.ages.items():
        goal = f"≤ {WITHIN[fault]}"
        figure(f"three brokers, {fault}: seconds that scoring is behind", age, goal=goal)
    assert seen.broken == {}
    assert seen.not_taken == 0
    assert seen.ages.keys() == WITHIN.keys()
    assert {fault: age for fault, age in seen.ages.items() if age < FELT} == {}, "it was not felt"
    assert {fault: age for fault, age in seen.ages.items() if age > WITHIN[fault]} == {}


@pytest.mark.skipif(not is_full(), reason="takes a minute; of full size only")
@pytest.mark.timeout(300)
async def test_two_of_three_brokers_may_fail_and_leads_are_taken_and_wait(
    make_rig: MakeRig, nodes: Nodes
) -> None:
    rig = await make_rig(*SERVICES, kafka=nodes.settings())

    seen = await three_brokers.two_of_three(rig, nodes, seconds=60)

    assert seen.broken == {}
    assert seen.not_taken == 0
    assert seen.sent_without == 0
