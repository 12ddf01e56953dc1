"""The order of a lead's story, and who has heard which part of it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from handoff.cli.trace import duration, words_of
from handoff.trace.story import Step, heard, in_order, to_come
from shared.ids import new_id

LEAD = new_id()
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def step(name: str, milliseconds: float = 0, **changes: Any) -> Step:
    """Return something that happened so much after noon."""
    values: dict[str, Any] = {
        "at": NOON + timedelta(milliseconds=milliseconds), "service": "lead-scoring",
        "subject": LEAD, "kind": "said", "name": name, "id": new_id(), "topic": None,
        "sequence": None, "partition": None, "offset": None, "causation_id": None, "note": None,
    }  # fmt: skip
    return Step(**(values | changes))


def names(steps: list[Step]) -> list[str]:
    return [each.name for each in steps]


def test_steps_stand_in_the_order_of_time_with_the_time_between_them() -> None:
    ordered = in_order([step("won", 90_000), step("captured"), step("scored", 250)])

    assert names(ordered) == ["captured", "scored", "won"]
    assert [each.after_ms for each in ordered] == [None, 250, 89_750]


def test_no_step_stands_before_its_cause_whatever_the_clocks_say() -> None:
    captured = step("captured", 100)
    scored = step("scored", 40, causation_id=captured.id)
    opened = step("opened", 60, causation_id=scored.id)

    assert names(in_order([opened, scored, captured])) == ["captured", "scored", "opened"]


def test_a_circle_of_causes_ends() -> None:
    one, other = UUID(int=1), UUID(int=2)
    steps = [
        step("one", 1, id=one, causation_id=other),
        step("other", 2, id=other, causation_id=one),
    ]

    assert sorted(names(in_order(steps))) == ["one", "other"]


def test_events_of_one_moment_stand_by_their_numbers() -> None:
    second, first = step("second", sequence=2), step("first", sequence=1)

    assert names(in_order([second, first])) == ["first", "second"]


def test_what_waits_is_no_part_of_the_past() -> None:
    steps = [step("later", 9_000, kind="waiting"), step("sooner", 10, kind="waiting"), step("now")]

    assert names(in_order(steps)) == ["now"]
    assert names(to_come(steps)) == ["sooner", "later"]


def test_an_event_is_heard_by_those_who_are_past_its_number() -> None:
    said = step("lead.updated.v1", topic="handoff.leads.v1", sequence=2)
    positions = {
        ("handoff.leads.v1", LEAD, "notifier"): 3,
        ("handoff.leads.v1", LEAD, "lead-scoring"): 1,
        ("handoff.leads.v1", new_id(), "sales-pipeline"): 9,  # of another name of the lead
    }
    shown = heard(said, positions, ("lead-scoring", "notifier", "sales-pipeline"))

    assert shown.heard_by == ["notifier"]
    assert shown.not_heard_by == ["lead-scoring", "sales-pipeline"]


def test_a_line_tells_when_who_what_and_where() -> None:
    said = step(
        "lead.captured.v1", 1.5, topic="handoff.leads.v1", sequence=1, partition=7, offset=42,
        in_kafka="there", heard_by=["notifier"], after_ms=12.0,
    )  # fmt: skip

    assert words_of(said)[:6] == (
        "2026-11-23 12:00:00.001Z",
        "+12 ms",
        "lead-scoring",
        "lead.captured",
        "handoff.leads.v1 #1 at 7/42 ✓",
        "heard by notifier",
    )


def test_a_place_with_another_record_is_shouted_about() -> None:
    said = step("a.v1", topic="t", sequence=1, partition=0, offset=1, in_kafka="another")

    assert "ANOTHER RECORD" in words_of(said)[4]


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(None, ""), (0, "+0 ms"), (1_500, "+1.50 s"), (90_000, "+1.5 min"), (5_400_000, "+1.5 h")],
)
def test_durations_are_written_as_people_do(milliseconds: float | None, text: str) -> None:
    assert duration(milliseconds) == text
