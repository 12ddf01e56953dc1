"""What may happen to a deal, and what it refuses."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from sales_pipeline.domain.deal import Deal, DealAlreadyAccepted, DealAlreadyClosed, Outcome
from sales_pipeline.domain.money import Money
from sales_pipeline.domain.rep import Rep
from sales_pipeline.domain.stage import Stage

EURO = Money(amount_minor=100_00, currency="EUR")
ENDINGS: dict[Outcome, Callable[[Deal, datetime], None]] = {
    Outcome.WON: lambda deal, now: deal.win(amount=EURO, now=now),
    Outcome.LOST: lambda deal, now: deal.lose(reason="price", now=now),
    Outcome.RECYCLED: lambda deal, now: deal.recycle(reason="too early", now=now),
}
CHANGES: dict[str, Callable[[Deal, datetime], object]] = {
    "accept": lambda deal, now: deal.accept(rep_id=deal.owner_id, now=now),
    "move": lambda deal, now: deal.move(to=Stage.DEMO, now=now),
    "reassign": lambda deal, now: deal.reassign(owner_id=deal.owner_id, now=now),
    "expect": lambda deal, now: deal.expect(amount=EURO, close_on=None, now=now),
    **ENDINGS,
}


@pytest.mark.parametrize("outcome", ENDINGS)
@pytest.mark.parametrize("change", CHANGES)
def test_a_deal_that_ended_refuses_every_change(
    deal: Deal, outcome: Outcome, change: str, now: datetime
) -> None:
    ENDINGS[outcome](deal, now)

    with pytest.raises(DealAlreadyClosed, match=f"it is {outcome}"):
        CHANGES[change](deal, now)


@pytest.mark.parametrize(
    ("outcome", "stage"),
    [
        (Outcome.WON, Stage.WON),
        (Outcome.LOST, Stage.LOST),
        (Outcome.RECYCLED, Stage.PROPOSAL),
    ],
)
def test_winning_and_losing_are_stages_and_a_recycled_deal_keeps_its_own(
    deal: Deal, outcome: Outcome, stage: Stage, now: datetime
) -> None:
    deal.move(to=Stage.PROPOSAL, now=now)
    ENDINGS[outcome](deal, now)

    assert deal.closing
    assert deal.closing.outcome == outcome
    assert deal.stage == stage


def test_of_two_reps_who_accept_the_second_is_told_who_has_the_deal(
    deal: Deal, reps: list[Rep], now: datetime
) -> None:
    ada, ben = reps
    first = deal.accept(rep_id=ben.id, now=now)

    with pytest.raises(DealAlreadyAccepted, match=str(ben.id)):
        deal.accept(rep_id=ada.id, now=now)
    assert first
    assert deal.owner_id == ben.id


def test_accepting_twice_changes_nothing_the_second_time(deal: Deal, now: datetime) -> None:
    deal.accept(rep_id=deal.owner_id, now=now)
    version = deal.version
    again = deal.accept(rep_id=deal.owner_id, now=now + timedelta(hours=1))

    assert not again
    assert deal.version == version
    assert deal.acceptance
    assert deal.acceptance.accepted_at == now


def test_the_owner_after_a_reassignment_may_accept_what_was_accepted_before(
    deal: Deal, reps: list[Rep], now: datetime
) -> None:
    deal.accept(rep_id=deal.owner_id, now=now)
    deal.reassign(owner_id=reps[1].id, now=now)

    assert not deal.accept(rep_id=reps[1].id, now=now)


def test_a_new_score_does_not_outrun_an_edit_but_an_edit_does(deal: Deal, now: datetime) -> None:
    before = deal.version
    deal.rescore(score=80, grade="A1", now=now)
    after_score = deal.version
    deal.expect(amount=EURO, close_on=date(2026, 4, 1), now=now)

    assert after_score == before
    assert deal.version == before + 1
