"""Reps: who sells, and who gets what nobody can take."""

from datetime import datetime

import pytest

from sales_pipeline.domain.rep import Rep, RepState
from sales_pipeline.domain.routing import FallbackRequired
from sales_pipeline.usecases.add_rep import AddRep, add_rep
from sales_pipeline.usecases.change_rep import ChangeRep, change_rep
from sales_pipeline.usecases.desk import Desk
from shared.contracts.deal import RepChanged
from shared.ids import RepId, new_id


def test_a_new_rep_is_told_of_in_full(desk: Desk, now: datetime) -> None:
    command = AddRep(rep_id=RepId(new_id()), name="Cem", email="cem@sales.example")
    events = add_rep(command, desk, now=now)

    assert events == [
        RepChanged(
            rep_id=command.rep_id,
            rep_version=1,
            name="Cem",
            email="cem@sales.example",
            state="active",
            changed_at=now,
        )
    ]
    assert desk.changed == {command.rep_id}


def test_a_change_keeps_what_is_not_named_and_counts_a_version(
    desk: Desk, reps: list[Rep], now: datetime
) -> None:
    (event,) = change_rep(ChangeRep(rep_id=reps[0].id, state=RepState.AWAY), desk, now=now)

    assert isinstance(event, RepChanged)
    assert (event.name, event.state, event.rep_version) == ("Ada", "away", 2)


def test_a_change_to_what_is_already_so_says_nothing(
    desk: Desk, reps: list[Rep], now: datetime
) -> None:
    events = change_rep(ChangeRep(rep_id=reps[0].id, name="Ada"), desk, now=now)

    assert events == []
    assert desk.changed == set()


def test_the_fallback_owner_is_replaced_and_never_removed(
    desk: Desk, reps: list[Rep], fallback: Rep, now: datetime
) -> None:
    with pytest.raises(FallbackRequired):
        change_rep(ChangeRep(rep_id=fallback.id, fallback=False), desk, now=now)
    change_rep(ChangeRep(rep_id=reps[0].id, fallback=True), desk, now=now)

    assert desk.team().fallback_id == reps[0].id
    assert desk.changed == {desk.team().id}


def test_a_new_rep_can_be_the_fallback_owner_at_once(desk: Desk, now: datetime) -> None:
    command = AddRep(rep_id=RepId(new_id()), name="Cem", email="cem@sales.example", fallback=True)
    add_rep(command, desk, now=now)

    assert desk.team().fallback_id == command.rep_id
