"""A deploy that fails on everything parks a few leads and stops; newer events stop older code."""

from collections.abc import AsyncGenerator

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.invariants import balance
from tests.faults.rig.code import Code, plant
from tests.faults.rig.quiet import quiet
from tests.faults.rig.rig import Rig
from tests.faults.rig.waiting import not_ready
from tests.faults.scenarios import deploys
from tests.stack.feeder import Feeder, captured, feeding, updated

from shared.ids import new_id

LEADS = 60
MOST_PARKED = 20
SCORED = "SELECT count(*) FROM lead_score"


@pytest.fixture
async def failing(tmp_path_factory: pytest.TempPathFactory) -> Code:
    return plant("deploys/fails-on-everything", into=tmp_path_factory.mktemp("code"))


@pytest.fixture
async def rig(make_rig: MakeRig) -> Rig:
    return await make_rig("lead_scoring")


@pytest.fixture
async def feeder(rig: Rig) -> AsyncGenerator[Feeder]:
    async with feeding(rig.kafka) as feeder:
        yield feeder


async def test_a_deploy_that_fails_on_everything_stops_itself_and_its_successor_goes_on(
    rig: Rig, feeder: Feeder, failing: Code
) -> None:
    leads = [new_id() for _ in range(LEADS)]
    await feeder.say(*(captured(lead) for lead in leads))
    rig.code = failing
    worker = await rig.start("lead_scoring")

    said = await not_ready(worker, "breaker")
    first = await deploys.parked(rig)
    worker.kill()
    await worker.died(1)
    again = await not_ready(worker, "breaker")
    live = await deploys.is_live(worker)
    await feeder.say(*(updated(lead, 2) for lead in leads))
    second = await deploys.parked(rig)
    await worker.die()
    rig.code = Code()
    await rig.start("lead_scoring")

    assert await balance(rig, fed=feeder.said) == {}
    assert said
    assert again
    assert live
    assert first == second == {"poison": MOST_PARKED}
    assert await rig.one("lead_scoring", SCORED) == LEADS - MOST_PARKED


async def test_what_a_failing_deploy_parked_is_released_under_the_next_one(
    rig: Rig, feeder: Feeder, failing: Code
) -> None:
    leads = [new_id() for _ in range(5)]
    await feeder.say(*(captured(lead) for lead in leads))
    rig.code = failing
    worker = await rig.start("lead_scoring")
    await quiet(rig, feeder.said)
    await worker.die()
    rig.code = Code()
    await rig.start("lead_scoring")
    door = await rig.start("lead_scoring", "api")
    await feeder.say(*(updated(lead, 2) for lead in leads))
    await quiet(rig, feeder.said)
    before = await deploys.parked(rig)

    async with await rig.client(door) as client:
        answers = [await client.post(f"/v1/parked/{lead}/release") for lead in leads]

    assert await balance(rig, fed=feeder.said) == {}
    assert before == {"poison": 5, "behind": 5}
    assert [(answer.status_code, answer.json()["count"]) for answer in answers] == [(200, 2)] * 5
    assert await deploys.parked(rig) == {}
    assert await rig.one("lead_scoring", "SELECT sum(touchpoints)::int FROM lead_score") == 10


async def test_fields_and_kinds_that_newer_publishers_add_disturb_nobody(
    rig: Rig, feeder: Feeder
) -> None:
    await rig.start("lead_scoring")
    await feeder.send(deploys.of_newer_code(feeder))

    assert await balance(rig, fed=feeder.said) == {}
    assert await rig.one("lead_scoring", "SELECT sum(touchpoints)::int FROM lead_score") == 2
    assert await deploys.parked(rig) == {}


async def test_a_version_that_is_not_known_stops_the_consumer_until_code_that_knows_it_runs(
    rig: Rig, feeder: Feeder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    worker = await rig.start("lead_scoring")
    old, new = new_id(), new_id()
    await feeder.say(captured(old))
    await quiet(rig, feeder.said)
    await feeder.send([feeder.next(captured(new), version=2)])

    said = await not_ready(worker, "unknown_version")
    stopped = await rig.one("lead_scoring", SCORED), await deploys.parked(rig)
    live = await deploys.is_live(worker)
    await worker.die()
    rig.code = plant("deploys/knows-version-2", into=tmp_path_factory.mktemp("code"))
    await rig.start("lead_scoring")
    await feeder.say(updated(old, 2))

    assert await balance(rig, fed=feeder.said) == {}
    assert said
    assert live
    assert stopped == (1, {})
    assert await rig.one("lead_scoring", SCORED) == 2
