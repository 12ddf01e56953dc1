"""Whether the numbers of a demonstration fit together, and how the audit counts."""

from typing import Any

import pytest

from handoff.audit.behind import State
from handoff.audit.report import Behind, count
from handoff.demo.funnel import Funnel, sums_of
from shared.contracts.catalogue import TOPICS
from shared.ids import new_id


def funnel(**changes: Any) -> Funnel:
    """Return the funnel of 10 leads of 8 people, all well."""
    values: dict[str, Any] = {
        "sent": 10, "refused": 0, "accepted": 10,
        "submissions": {"created": 8, "updated": 1, "duplicate": 1},
        "created": 8, "leads": 8, "captured": 8, "scored": 8, "grades": {"A1": 3, "D4": 5},
        "qualified": 3, "with_deal": 3, "deals_opened": 3, "deals": 3,
        "with_task": 3, "tasks_created": 4, "tasks": 4, "unheard": 0,
    }  # fmt: skip
    return Funnel(**(values | changes))


def broken(found: Funnel) -> list[str]:
    return [each.text for each in sums_of(found) if not each.holds]


def test_where_nothing_was_lost_every_sum_holds() -> None:
    assert broken(funnel()) == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"accepted": 9, "submissions": {"created": 8, "updated": 1}}, "sent = accepted"),
        ({"submissions": {"created": 8, "received": 2}}, "accepted = submissions with an outcome"),
        ({"created": 7}, "submissions `created` = new leads"),
        ({"captured": 7}, "leads = LeadCaptured said"),
        ({"scored": 7}, "leads = leads with a score"),
        ({"qualified": 4}, "qualified leads = leads with a deal"),
        ({"deals": 2}, "DealOpened said = deals shown"),
        ({"with_task": 2}, "leads with a deal = leads with a task"),
        ({"tasks": 5}, "TaskCreated said = tasks shown"),
        ({"unheard": 1}, "streams left unheard = none"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], text: str) -> None:
    assert broken(funnel(**changes)) == [text]


def test_leads_of_earlier_runs_that_came_again_are_no_fault() -> None:
    again = funnel(submissions={"updated": 10}, created=0)

    assert broken(again) == []


def behind(state: State, *, said: int, heard: int) -> Behind:
    return Behind(
        subject=new_id(), topic="handoff.leads.v1", publisher="marketing-intake",
        hearer="notifier", said=said, heard=heard, state=state,
    )  # fmt: skip


def test_what_was_heard_is_what_was_said_less_what_is_behind() -> None:
    late = [behind(State.MISSING, said=5, heard=3), behind(State.PARKED, said=2, heard=1)]
    pair = count(TOPICS[0], "notifier", subjects=40, said=100, parked=1, behind=late)

    assert (pair.said, pair.heard) == (100, 97)
    assert pair.behind == {State.MISSING: 1, State.PARKED: 1}
