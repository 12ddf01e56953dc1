"""What the audit's report counts, and what it advises."""

from datetime import datetime, timedelta

import pytest

from handoff.audit.advice import advice
from handoff.audit.behind import State
from handoff.audit.report import Behind, Broken, InKafka, Report
from shared.clock import utc_now
from shared.contracts.catalogue import INTAKE, RETENTION_DAYS
from shared.ids import new_id

LEADS = "handoff.leads.v1"
LATE = utc_now().replace(microsecond=0) - timedelta(hours=1)
EARLY, TOO_EARLY = LATE - timedelta(hours=12), LATE - timedelta(days=RETENTION_DAYS)


def behind(state: State, *, said_at: datetime | None = None) -> Behind:
    return Behind(
        subject=new_id(),
        topic=LEADS,
        publisher="marketing-intake",
        hearer="notifier",
        said=2,
        heard=1,
        state=state,
        said_at=said_at,
    )


def report(*found: Behind, broken: int = 0, kafka: InKafka | None = None) -> Report:
    lead_id = new_id()
    return Report(
        checked_at=LATE,
        seconds=0.1,
        kafka_answered=True,
        pairs=[],
        behind=list(found),
        violations=[
            Broken(invariant="one_score_a_lead", service="lead-scoring", subject=lead_id, detail="")
            for _ in range(broken)
        ],
        kafka=kafka,
    )


@pytest.mark.parametrize("state", State)
def test_only_what_is_kept_leaves_the_audit_balanced(state: State) -> None:
    kept = state in {State.PARKED, State.WAITING}

    assert report(behind(state)).balanced is kept
    assert report(behind(state)).fine is kept


def test_missing_counts_leads_once_and_not_what_is_on_its_way() -> None:
    found = report(
        behind(State.MISSING), behind(State.AHEAD), behind(State.OUTBOX), behind(State.PARKED),
        broken=3,
    )  # fmt: skip

    assert found.missing == 3
    assert found.broken == {"one_score_a_lead": 3}


@pytest.mark.parametrize("state", State)
def test_the_next_look_does_not_leave_out_what_is_on_its_way(state: State) -> None:
    found = report(behind(state), broken=1)
    expected = {each.subject for each in found.violations}
    if state not in {State.PARKED, State.WAITING}:
        expected |= {each.subject for each in found.behind}

    assert found.subjects_of_concern() == expected


@pytest.mark.parametrize("fault", ["holes", "strangers", "inversions"])
def test_a_fault_in_kafka_is_not_fine(fault: str) -> None:
    assert report(kafka=InKafka(records=5)).fine
    assert not report(kafka=InKafka(records=5, **{fault: 1})).fine


def test_a_hearer_that_passed_events_over_is_healed_from_the_earliest_on() -> None:
    late = behind(State.MISSING, said_at=LATE)
    [said] = advice([late, behind(State.MISSING, said_at=EARLY)], [], None)

    assert (
        "`handoff replay heal --service notifier --topic handoff.leads.v1"
        f" --since {EARLY:%Y-%m-%dT%H:%M:%SZ}`"
    ) in said


def test_what_kafka_does_not_keep_any_more_is_sent_again_by_its_publisher() -> None:
    [said] = advice([behind(State.MISSING, said_at=TOO_EARLY)], [], None)

    assert "`handoff replay republish --service marketing-intake --since " in said
    assert "heal" not in said


def test_a_receipt_is_not_asked_of_trace_alone() -> None:
    [said] = advice([], report(broken=1).violations, None)

    assert "`handoff trace ID`" in said
    assert "/v1/submissions/ID" in said


def test_records_that_kafka_lost_are_republished_and_then_healed() -> None:
    [said] = advice([], [], InKafka(holes=1))

    assert said.index("handoff replay republish") < said.index("handoff replay heal")


def test_no_command_is_named_where_none_helps() -> None:
    [lost] = advice([behind(State.MISSING)], [], None)

    assert "`handoff" not in lost
    assert "backup" in lost


def test_what_was_heard_of_a_database_that_went_back_is_taken_back_by_a_command() -> None:
    [said] = advice([behind(State.AHEAD)], [], None)

    assert "foreign_records" in said
    assert said.index("a later backup") < said.index("`handoff restore marketing-intake`")


def test_whom_a_restored_database_knows_less_of_is_no_violation_and_is_told() -> None:
    known = Broken(
        invariant="captured_once", service=INTAKE, subject=new_id(), detail=None, restored=True
    )
    [said] = advice([], [known], None)

    assert "`handoff restore marketing-intake --list`" in said


def test_nothing_is_advised_where_there_is_nothing_to_do() -> None:
    assert advice([behind(State.OUTBOX), behind(State.PARKED)], [], InKafka(records=5)) == []
