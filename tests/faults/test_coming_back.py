"""How long work stands still when a worker dies: seconds if it comes back, else a session."""

import time
from collections.abc import Sequence
from uuid import UUID

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.figures import Figure, Within
from tests.faults.invariants import balance
from tests.faults.ledger import make_source
from tests.faults.rig.rig import Rig
from tests.faults.rig.waiting import until
from tests.stack.feeder import Feeder, captured, feeding

from shared.ids import new_id

COMES_BACK = Within(5)
IS_REPLACED = Within(25)
LEADS = 60
"""So many that each of the 12 partitions has some."""
SCORED = "SELECT count(*) >= $2 FROM lead_score WHERE lead_id = ANY($1)"
SENT = """
    SELECT count(*) > 0 FROM lead l JOIN outbox_archive a ON a.subject = l.id WHERE l.email = $1
"""


async def scored(rig: Rig, leads: Sequence[UUID], within: float) -> float:
    """Return how long it takes until all leads have a score."""
    began = time.monotonic()
    await until(rig, "lead_scoring", SCORED, leads, len(leads), within=within)
    return time.monotonic() - began


async def said(feeder: Feeder) -> list[UUID]:
    """Say leads to the hearer, all at once."""
    leads = [new_id() for _ in range(LEADS)]
    await feeder.say(*(captured(lead) for lead in leads))
    return leads


@pytest.mark.timeout(180)
async def test_a_hearer_that_is_killed_and_comes_back_goes_on_in_seconds(
    make_rig: MakeRig, figure: Figure
) -> None:
    rig = await make_rig("lead_scoring")
    worker = await rig.start("lead_scoring")
    async with feeding(rig.kafka) as feeder:
        await scored(rig, await said(feeder), 60)
        worker.kill()
        took = await scored(rig, await said(feeder), 60)
    figure("s until a killed worker hears again", took, goal=COMES_BACK)

    assert await balance(rig, fed=feeder.said) == {}
    assert took <= COMES_BACK.here


@pytest.mark.timeout(180)
async def test_a_hearer_that_is_gone_for_good_is_replaced_within_a_session(
    make_rig: MakeRig, figure: Figure
) -> None:
    rig = await make_rig("lead_scoring")
    first = await rig.start("lead_scoring", number=0)
    await rig.start("lead_scoring", number=1)
    async with feeding(rig.kafka) as feeder:
        await scored(rig, await said(feeder), 60)
        await first.die()
        took = await scored(rig, await said(feeder), 90)
    figure("s until a hearer is replaced", took, goal=IS_REPLACED)

    assert await balance(rig, fed=feeder.said) == {}
    assert took <= IS_REPLACED.here


@pytest.mark.timeout(180)
async def test_a_relay_and_a_resolver_come_back_at_once_and_are_replaced_when_gone(
    make_rig: MakeRig, figure: Figure
) -> None:
    rig = await make_rig("marketing_intake")
    api = await rig.start("marketing_intake", "api")
    first = await rig.start("marketing_intake", number=0)
    async with await rig.client(api) as client:
        source = await make_source(client)

        async def through() -> float:
            """Return how long a lead takes from the door to Kafka."""
            email = f"{new_id()}@example.com"
            began = time.monotonic()
            await client.post("/v1/leads", json={"source_id": source, "email": email})
            await until(rig, "marketing_intake", SENT, email, within=90)
            return time.monotonic() - began

        await through()
        first.kill()
        back = await through()
        await first.ready()
        await rig.start("marketing_intake", number=1)
        await first.die()
        replaced = await through()
    figure("s until a killed worker resolves and relays again", back, goal=COMES_BACK)
    figure("s until a holder of leases is replaced", replaced, goal=IS_REPLACED)

    assert await balance(rig) == {}
    assert back <= COMES_BACK.here
    assert replaced <= IS_REPLACED.here
