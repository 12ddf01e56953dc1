"""Entries add up to the score, whatever the points."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from lead_scoring.domain.person import Person
from lead_scoring.domain.predicate import Operator, Predicate
from lead_scoring.domain.rating import Entry, Rating, Touchpoint, earn, rate
from lead_scoring.domain.scorecard import Cuts, Group, Repeat, Rule, Rulebook
from shared.ids import new_id

A_Touchpoint = Callable[..., Touchpoint]
CAPTURED = new_id()


def rated(
    book: Rulebook, person: Person, earned: tuple[Entry, ...] = (), before: Rating | None = None
) -> Rating:
    previous = before.entries if before else ()
    event_id = new_id() if before else CAPTURED
    return rate(book, person=person, earned=earned, previous=previous, event_id=event_id)


@given(some.lists(some.integers(-100, 100), max_size=30), some.lists(some.integers(-100, 100)))
def test_entries_add_up_to_a_score_between_0_and_100(fits: list[int], earned: list[int]) -> None:
    rules = tuple(
        Rule(
            code=f"r{nth}",
            text="",
            group=Group.FIT,
            points=points,
            when=(Predicate("company", Operator.PRESENT),),
        )
        for nth, points in enumerate(fits)
    )
    cuts = Cuts(3, 2, 1)
    book = Rulebook(name="", threshold=1, fit_cuts=cuts, engagement_cuts=cuts, rules=rules)
    entries = tuple(Entry("e", "", points, Group.ENGAGEMENT, CAPTURED) for points in earned)
    rating = rated(book, Person(company="Acme"), entries)

    assert rating.score == sum(entry.points for entry in rating.entries)
    assert rating.score == min(100, max(0, sum(fits) + sum(earned)))
    assert (rating.fit, rating.engagement) == (sum(fits), sum(earned))


def test_bringing_the_sum_into_the_scale_is_an_entry(
    book: Rulebook, a_touchpoint: A_Touchpoint
) -> None:
    earned = earn(book, earned=(), touchpoint=a_touchpoint("order"), before=0)
    high = rated(book, Person(company="Acme"), earned)
    low = rated(book, Person(company="Acme", job_title="Student"))

    assert [(e.code, e.points, e.group) for e in high.entries][-1] == ("clamp", -130, Group.CLAMP)
    assert [(e.code, e.points) for e in low.entries] == [
        ("company", 30),
        ("student", -200),
        ("clamp", 170),
    ]
    assert (high.score, low.score) == (100, 0)


def test_a_rule_of_each_gives_its_points_up_to_its_limit(
    book: Rulebook, a_touchpoint: A_Touchpoint
) -> None:
    visits = [a_touchpoint("page_view") for _ in range(5)]
    earned: tuple[Entry, ...] = ()
    for visit in visits:
        earned = earn(book, earned=earned, touchpoint=visit, before=0)

    assert [entry.event_id for entry in earned] == [visit.event_id for visit in visits[:3]]


def test_a_rule_of_once_gives_its_points_to_the_first(
    book: Rulebook, a_touchpoint: A_Touchpoint
) -> None:
    first, second = a_touchpoint(), a_touchpoint()
    earned = earn(book, earned=(), touchpoint=first, before=0)
    earned = earn(book, earned=earned, touchpoint=second, before=1)

    assert [entry.event_id for entry in earned] == [first.event_id]


@pytest.mark.parametrize(("before", "codes"), [(0, []), (1, ["again"])])
def test_a_rule_can_ask_whether_the_person_came_back(
    book: Rulebook, a_touchpoint: A_Touchpoint, before: int, codes: list[str]
) -> None:
    again = Rule(
        code="again",
        text="",
        group=Group.ENGAGEMENT,
        points=5,
        when=(Predicate("returning", Operator.IN, ("yes",)),),
        repeat=Repeat.EACH,
        max_times=2,
    )
    earned = earn(
        replace(book, rules=(again,)), earned=(), touchpoint=a_touchpoint(), before=before
    )

    assert [entry.code for entry in earned] == codes


def test_a_reason_that_still_stands_keeps_the_event_that_gave_it(book: Rulebook) -> None:
    first = rated(book, Person(company="Acme"))
    second = rated(book, Person(company="Acme", phone="+4930123456"), before=first)

    assert second == first
    assert [entry.event_id for entry in second.entries] == [CAPTURED]


def test_a_reason_that_ends_takes_its_points_along(book: Rulebook) -> None:
    first = rated(book, Person(company="Acme"))

    assert rated(book, Person(), before=first).entries == ()
