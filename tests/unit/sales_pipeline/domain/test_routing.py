"""Who gets the next deal."""

from collections import Counter
from collections.abc import Callable

import pytest

from sales_pipeline.domain.rep import Rep, RepState
from sales_pipeline.domain.routing import FallbackRequired, Team
from shared.ids import new_id


@pytest.fixture
def team(fallback: Rep) -> Team:
    return Team(id=new_id(), fallback_id=fallback.id)


def test_active_reps_take_turns(team: Team, reps: list[Rep]) -> None:
    turns = [team.next_owner(reps=reps) for _ in range(4)]

    assert turns == [reps[0].id, reps[1].id, reps[0].id, reps[1].id]


def test_the_order_in_which_reps_are_loaded_does_not_matter(team: Team, reps: list[Rep]) -> None:
    turns = [team.next_owner(reps=reps[:: (-1) ** n]) for n in range(10)]

    assert Counter(turns) == {reps[0].id: 5, reps[1].id: 5}


def test_a_rep_who_is_away_is_passed_over_and_comes_back_into_turn(
    team: Team, reps: list[Rep]
) -> None:
    reps[1].state = RepState.AWAY
    while_away = [team.next_owner(reps=reps) for _ in range(2)]
    reps[1].state = RepState.ACTIVE

    assert while_away == [reps[0].id, reps[0].id]
    assert team.next_owner(reps=reps) == reps[1].id


def test_a_new_rep_gets_one_turn_a_round_and_is_not_flooded(
    team: Team, reps: list[Rep], a_rep: Callable[..., Rep]
) -> None:
    for _ in range(10):
        team.next_owner(reps=reps)
    grown = [*reps, a_rep("Cem")]
    turns = Counter(team.next_owner(reps=grown) for _ in range(9))

    assert turns == {rep.id: 3 for rep in grown}


def test_without_an_active_rep_the_fallback_owner_gets_the_deal(
    team: Team, reps: list[Rep], fallback: Rep
) -> None:
    for rep in reps:
        rep.state = RepState.AWAY

    assert team.next_owner(reps=[*reps, fallback]) == fallback.id


def test_a_turn_of_the_fallback_owner_costs_nobody_a_turn(
    team: Team, reps: list[Rep], fallback: Rep
) -> None:
    team.next_owner(reps=reps)
    team.next_owner(reps=[fallback])

    assert team.next_owner(reps=reps) == reps[1].id


def test_the_fallback_owner_is_handed_on_and_never_given_up(
    team: Team, reps: list[Rep], fallback: Rep
) -> None:
    with pytest.raises(FallbackRequired):
        team.change_fallback(rep_id=fallback.id, fallback=False)
    handed_on = team.change_fallback(rep_id=reps[0].id, fallback=True)

    assert handed_on
    assert team.fallback_id == reps[0].id
    assert not team.change_fallback(rep_id=fallback.id, fallback=False)
