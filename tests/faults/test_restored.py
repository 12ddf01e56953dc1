"""One database is restored to an earlier moment: it is seen, said, and nothing is harmed (D8)."""

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.figures import Figure
from tests.faults.invariants import INTAKE, NOTIFIER, PIPELINE, SCORING
from tests.faults.rig.rig import SERVICES
from tests.faults.scenarios import restoring


@pytest.mark.timeout(180)
async def test_a_restored_publisher_sends_nothing_and_says_what_to_do(
    make_rig: MakeRig, figure: Figure
) -> None:
    result = await restoring.a_publisher(await make_rig(*SERVICES))

    figure("Publisher restored: records sent over what Kafka has", result.sent, goal="0")
    assert not any(result.findings.values()), result.findings
    assert result.sent == 0
    for told in (result.troubles["loop relay"], result.log):
        assert "foreign_records" in told
        assert "the database was restored to an earlier moment" in told
        assert "`handoff restore SERVICE` takes back what Kafka still has" in told
    assert result.missing > 0


@pytest.mark.timeout(180)
async def test_a_restored_hearer_applies_nothing_over_what_it_lacks_until_it_is_healed(
    make_rig: MakeRig, figure: Figure
) -> None:
    result = await restoring.a_hearer(await make_rig(*SERVICES))

    assert not any(result.findings.values()), result.findings
    assert result.missing > 0
    figure("Hearer restored: leads that the audit names as missing", result.missing, goal="> 0")


async def test_a_number_that_is_given_twice_parks_its_lead(make_rig: MakeRig) -> None:
    found = await restoring.two_events_of_one_number(await make_rig("lead_scoring"))

    assert not any(found.values()), found


async def test_a_publisher_that_knows_again_what_it_said_gives_no_number_twice(
    make_rig: MakeRig,
) -> None:
    assert await restoring.a_publisher_alone(await make_rig(INTAKE)) == {}


@pytest.mark.timeout(360)
@pytest.mark.parametrize("service", [INTAKE, SCORING, PIPELINE, NOTIFIER])
async def test_a_service_comes_back_by_the_drill_of_the_docs_and_leads_go_on(
    service: str, make_rig: MakeRig, figure: Figure
) -> None:
    result = await restoring.by_the_command(await make_rig(*SERVICES), service)

    assert not any(result.findings.values()), result.findings
    assert "foreign_records" in result.refused
    assert result.codes == [0, 0, 0, 0, 1]
    assert (result.would_take_back(), result.moved) == (result.taken_back(), [])
    assert (result.audit["balanced"], result.audit["missing"]) == (True, 0), result.audit
    assert result.audit["kafka"]["records"] > result.taken_back() > 0
    assert result.listed == result.told["look_at"]
    assert bool(result.healed()) is (service != INTAKE)
    assert {each["heard"] for each in result.told["look_at"]} == {service != INTAKE}
    named = service.replace("_", "-")
    what = f"Restored by the command: events that {named}"
    figure(f"{what} knows again", result.taken_back(), goal="> 0")
    figure(f"{what} heard again", result.healed(), goal="0" if service == INTAKE else "> 0")
