"""Which scorecards may be, and how a draft becomes a version."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from lead_scoring.domain.predicate import Operator, Predicate
from lead_scoring.domain.scorecard import (
    Cuts,
    Group,
    IllegalScorecard,
    Repeat,
    Rule,
    Rulebook,
    Scorecard,
    ScorecardPublished,
    State,
)
from lead_scoring.usecases.draft_scorecard import DraftScorecard, draft_scorecard
from lead_scoring.usecases.publish_scorecard import PublishScorecard, publish_scorecard
from shared.ids import new_id

A_Rule = Callable[..., Rule]


@pytest.mark.parametrize(
    ("fit", "engagement", "grade"),
    [(99, 30, "A1"), (30, 29, "A2"), (29, 20, "B2"), (19, 10, "C3"), (9, 9, "D4"), (-50, -1, "D4")],
)
def test_the_letter_is_of_the_fit_and_the_digit_of_the_engagement(
    book: Rulebook, fit: int, engagement: int, grade: str
) -> None:
    assert book.grade(fit=fit, engagement=engagement) == grade


@pytest.mark.parametrize(
    ("pointer", "rule"),
    [
        ("/rules/0/when/0/field", {"group": Group.ENGAGEMENT}),
        ("/rules/0/when/0/field", {"when": Predicate("kind", Operator.PRESENT)}),
        ("/rules/0/when/0/field", {"when": Predicate("answers.size", Operator.PRESENT)}),
        ("/rules/0/when/0/value", {"when": Predicate("company", Operator.PRESENT, ("x",))}),
        ("/rules/0/when/0/value", {"when": Predicate("company", Operator.IN)}),
        ("/rules/0/repeat", {"repeat": Repeat.EACH}),
        ("/rules/0/max_times", {"max_times": 2}),
    ],
)
def test_a_rule_that_cannot_work_is_named_by_its_place(
    book: Rulebook, a_rule: A_Rule, pointer: str, rule: dict[str, Any]
) -> None:
    when = [rule.pop("when")] if "when" in rule else []

    with pytest.raises(IllegalScorecard) as caught:
        replace(book, rules=(a_rule("x", *when, **rule),)).check()

    assert [fault.pointer for fault in caught.value.faults] == [pointer]


def test_an_engagement_rule_may_ask_for_an_answer_but_for_no_nameless_one(
    book: Rulebook, a_rule: A_Rule
) -> None:
    def asking(field: str) -> Rulebook:
        predicate = Predicate(field, Operator.PRESENT)
        return replace(book, rules=(a_rule("x", predicate, group=Group.ENGAGEMENT),))

    asking("answers.company size").check()

    with pytest.raises(IllegalScorecard):
        asking("answers.").check()


def test_two_rules_with_one_code_are_both_named(book: Rulebook, a_rule: A_Rule) -> None:
    with pytest.raises(IllegalScorecard) as caught:
        replace(book, rules=(a_rule("x"), a_rule("y"), a_rule("x"))).check()

    assert [fault.pointer for fault in caught.value.faults] == ["/rules/0/code", "/rules/2/code"]


def test_cut_points_must_fall(book: Rulebook) -> None:
    with pytest.raises(IllegalScorecard) as caught:
        replace(book, fit_cuts=Cuts(10, 20, 30), engagement_cuts=Cuts(3, 2, 2)).check()

    assert [fault.pointer for fault in caught.value.faults] == ["/fit_cuts", "/engagement_cuts"]


def test_publishing_a_draft_retires_what_was_active(
    scorecard: Scorecard, book: Rulebook, now: datetime
) -> None:
    draft = draft_scorecard(DraftScorecard(new_id(), book), now=now)
    stored = publish_scorecard(PublishScorecard(draft, active=scorecard), now=now)

    assert [(each.id, each.state, each.version) for each in stored] == [
        (scorecard.id, State.RETIRED, 1),
        (draft.id, State.ACTIVE, 2),
    ]


def test_a_published_scorecard_never_changes(scorecard: Scorecard, now: datetime) -> None:
    with pytest.raises(ScorecardPublished):
        scorecard.revise(book=replace(scorecard.book, threshold=1), now=now)
    with pytest.raises(ScorecardPublished):
        publish_scorecard(PublishScorecard(scorecard, active=None), now=now)


def test_revising_a_draft_counts_its_revision(book: Rulebook, now: datetime) -> None:
    draft = draft_scorecard(DraftScorecard(new_id(), book), now=now)
    revised = draft.revise(book=replace(book, threshold=77), now=now)

    assert (revised.book.threshold, revised.revision, revised.state) == (77, 2, State.DRAFT)
