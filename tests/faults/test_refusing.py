"""What Kafka refuses, has no topic for, or has no more: held or parked, never skipped (K8)."""

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.scenarios import refusing

from shared.ids import new_id


@pytest.mark.timeout(180)
async def test_a_record_that_kafka_never_takes_holds_its_lead_alone(make_rig: MakeRig) -> None:
    rig, lead = await make_rig("marketing_intake"), new_id()

    seen = await refusing.a_record_too_large(rig, lead, others=300)

    assert seen.held == [(lead, "MessageSizeTooLargeError")]
    assert seen.waiting == {lead}
    assert seen.broken == {}


@pytest.mark.timeout(180)
async def test_a_missing_topic_is_told_and_waited_for(make_rig: MakeRig) -> None:
    rig = await make_rig("marketing_intake", "lead_scoring")

    seen = await refusing.no_topic(rig, leads=20)

    assert seen.broken == {}
    assert "infrastructure" in seen.troubles
    assert sorted(seen.heard[0].values()) == [1] * 20


@pytest.mark.timeout(180)
async def test_records_that_are_gone_before_they_were_heard_leave_a_gap_that_is_seen_and_closes(
    make_rig: MakeRig,
) -> None:
    rig, leads = await make_rig("lead_scoring"), [new_id() for _ in range(5)]

    seen = await refusing.records_gone(rig, leads, 10)

    while_parked, in_the_end = seen.heard
    assert seen.broken == {}
    assert seen.gaps == set(leads)
    assert [while_parked[lead] for lead in leads] == [1] * 5
    assert [in_the_end[lead] for lead in leads] == [3] * 5
    assert len(in_the_end) == 15
