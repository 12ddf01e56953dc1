"""Why a hearer is not level with the publisher: the rules of the audit."""

from datetime import timedelta
from typing import Any

import pytest

from handoff.audit.behind import Heard, Said, Sent, State, Stream, state_of
from handoff.audit.judging import detail_of
from shared.clock import utc_now
from shared.ids import new_id

LEAD = new_id()
NOW = utc_now()
LONG_AGO = NOW - timedelta(days=30)


def stream(said: Said, heard: Heard, **changes: Any) -> Stream:
    """Return a stream of a lead that is younger than the hearer."""
    values: dict[str, Any] = {"subject": LEAD, "started_at": LONG_AGO} | changes
    return Stream(said=said, heard=heard, **values)


def sent(offset: int | None = 10) -> Sent:
    return Sent(NOW, 0, offset)


def test_equal_numbers_are_level() -> None:
    assert state_of(stream(Said(3), Heard(3))) is None


def test_what_waits_in_the_outbox_is_no_fault_of_the_hearer() -> None:
    assert state_of(stream(Said(3, first_waiting=3), Heard(2), mark=99)) is State.OUTBOX


def test_what_waits_in_the_outbox_does_not_excuse_what_was_sent_before() -> None:
    late = stream(Said(4, first_waiting=4), Heard(1), missing=sent(10), mark=11)

    assert state_of(late) is State.MISSING


@pytest.mark.parametrize("mark", [None, 0, 10])
def test_what_the_hearer_has_not_read_yet_is_in_flight(mark: int | None) -> None:
    assert state_of(stream(Said(1), Heard(0), missing=sent(10), mark=mark)) is State.IN_FLIGHT


def test_what_the_hearer_has_passed_without_hearing_it_is_missing() -> None:
    assert state_of(stream(Said(1), Heard(0), missing=sent(10), mark=11)) is State.MISSING


def test_what_even_the_archive_has_not_is_missing() -> None:
    assert state_of(stream(Said(2), Heard(1), missing=None, mark=None)) is State.MISSING


def test_while_kafka_does_not_answer_nothing_is_called_missing() -> None:
    silent = stream(Said(1), Heard(0), missing=sent(10), kafka_answered=False)

    assert state_of(silent) is State.IN_FLIGHT
    assert "Kafka did not say" in str(detail_of(silent, State.IN_FLIGHT))


def test_what_is_parked_next_is_parked() -> None:
    parked = stream(Said(5), Heard(2, first_parked=3, reason="poison", error="ValueError: no"))

    assert state_of(parked) is State.PARKED
    assert detail_of(parked, State.PARKED) == "poison: ValueError: no"


def test_a_parked_gap_does_not_hide_what_is_missing_before_it() -> None:
    gap = stream(Said(3), Heard(1, first_parked=3, reason="gap"), missing=sent(10), mark=11)

    assert state_of(gap) is State.MISSING


def test_a_hearer_that_knows_more_than_the_publisher_is_ahead() -> None:
    assert state_of(stream(Said(2), Heard(3))) is State.AHEAD


def test_a_hearer_does_not_owe_what_was_said_before_it_began() -> None:
    older = stream(
        Said(2), Heard(), missing=sent(), latest=Sent(LONG_AGO, 0, 1), mark=99,
        started_at=NOW + timedelta(seconds=5),
    )  # fmt: skip

    assert state_of(older) is None


def test_a_hearer_owes_what_was_said_since_it_began_of_an_older_lead_too() -> None:
    began = NOW + timedelta(seconds=5)
    since = stream(
        Said(2), Heard(), missing=sent(), latest=Sent(began + timedelta(seconds=1), 0, 1),
        mark=99, started_at=began,
    )  # fmt: skip

    assert state_of(since) is State.MISSING


def test_a_hearer_that_has_begun_with_a_lead_owes_the_rest() -> None:
    begun = stream(
        Said(5), Heard(4), missing=sent(10), latest=Sent(LONG_AGO, 0, 10), mark=11,
        started_at=NOW + timedelta(seconds=5),
    )  # fmt: skip

    assert state_of(begun) is State.MISSING


def test_a_held_subject_is_told_of_with_the_error() -> None:
    held = stream(Said(1, first_waiting=1, held="MessageSizeTooLargeError"), Heard())

    assert state_of(held) is State.OUTBOX
    assert "MessageSizeTooLargeError" in str(detail_of(held, State.OUTBOX))


def test_what_is_parked_as_busy_is_waited_for() -> None:
    busy = stream(Said(5), Heard(2, first_parked=3, reason="busy"))

    assert state_of(busy) is State.WAITING
