"""One broker: killed, long away, or out of reach (K1, K4, K5, K9). Intake never notices."""

from collections.abc import AsyncGenerator

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.figures import Figure, sized
from tests.faults.rig.proxy import Proxy, proxied
from tests.faults.scenarios import broker_away
from tests.stack.nodes import Nodes, some_nodes

SERVICES = ("marketing_intake", "lead_scoring")


@pytest.fixture(scope="module")
async def proxy() -> AsyncGenerator[Proxy]:
    async with proxied("127.0.0.1", 0) as proxy:
        yield proxy


@pytest.fixture(scope="module")
async def nodes(proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Nodes]:
    async with some_nodes(tmp_path_factory.mktemp("kafka"), 1, proxy) as nodes:
        yield nodes


@pytest.mark.timeout(1800)
async def test_a_broker_that_is_killed_again_and_again_leaves_no_consumer_stuck(
    make_rig: MakeRig, nodes: Nodes, figure: Figure
) -> None:
    rig = await make_rig(*SERVICES, kafka=nodes.settings())

    seen = await broker_away.killed(rig, nodes.first, times=sized(2, 20))

    figure("broker killed: seconds from its return to balance", max(seen.level_after), goal="≤ 30")
    assert seen.broken == {}
    assert seen.not_taken == 0
    assert min(seen.behind) > 0.5, "it was not felt"
    assert max(seen.level_after) <= 30


@pytest.mark.timeout(1800)
async def test_without_kafka_no_lead_is_refused_and_the_backlog_drains_in_order(
    make_rig: MakeRig, nodes: Nodes, figure: Figure
) -> None:
    rig = await make_rig(*SERVICES, kafka=nodes.settings())

    seen = await broker_away.gone(rig, nodes.first, seconds=sized(60, 300), a_second=sized(50, 200))

    figure("without Kafka: requests not answered 2xx", seen.not_taken, goal="0")
    figure("without Kafka: drain, as a multiple of what comes in", seen.drain, goal="≥ 2")
    figure(
        "without Kafka: seconds from its return to balance",
        seen.level_after[0],
        goal="≤ 30, in full (60,000 leads wait) 60",
    )
    assert seen.broken == {}
    assert seen.not_taken == 0
    assert seen.drain >= 2
    assert seen.level_after[0] <= sized(30, 60)


@pytest.mark.timeout(600)
async def test_a_bad_way_to_the_broker_reorders_and_loses_nothing(
    make_rig: MakeRig, nodes: Nodes, proxy: Proxy, figure: Figure
) -> None:
    rig, times = await make_rig(*SERVICES, kafka=nodes.settings()), sized(10, 100)

    seen = await broker_away.badly_joined(rig, proxy, seconds=sized(6, 60), times=times)

    figure("black hole: seconds from its end to balance", seen.level_after[0], goal="≤ 30")
    assert seen.broken == {}
    assert seen.not_taken == 0
    assert seen.started_again >= 1
    assert seen.swallowed > 0
    assert min(seen.cut) >= times
    assert max(seen.level_after) <= 30
