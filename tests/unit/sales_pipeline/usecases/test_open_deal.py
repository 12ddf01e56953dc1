"""The handoff: a qualified lead becomes exactly one open deal, with an owner."""

from collections.abc import Callable
from datetime import datetime

import pytest

from sales_pipeline.domain.deal import Deal
from sales_pipeline.domain.rep import Rep, RepState
from sales_pipeline.domain.stage import Stage
from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.desk import Desk
from sales_pipeline.usecases.flag_deal import FlagDeal, flag_deal
from sales_pipeline.usecases.known_lead import Word
from sales_pipeline.usecases.open_deal import OpenDeal, open_deal
from sales_pipeline.usecases.recycle_deal import RecycleDeal, recycle_deal
from shared.contracts.deal import DealOpened

Qualified = Callable[..., OpenDeal]


class TestOpenDeal:
    def test_gives_a_qualified_lead_a_new_deal_for_the_next_rep(
        self, desk: Desk, reps: list[Rep], a_qualified_lead: Qualified, now: datetime
    ) -> None:
        command = a_qualified_lead(score=70)
        (event,) = open_deal(command, desk, now=now)

        deal = desk.open_deal_of(command.lead_id)
        assert deal
        assert deal.stage is Stage.NEW
        assert event == DealOpened(
            lead_id=command.lead_id,
            lead_version=1,
            deal_id=deal.id,
            owner_id=reps[0].id,
            occurred_at=now,
            lead=command.lead,
            stage="new",
            score=70,
            grade="B2",
        )

    def test_marks_what_is_to_be_saved(
        self, desk: Desk, a_qualified_lead: Qualified, now: datetime
    ) -> None:
        command = a_qualified_lead()
        open_deal(command, desk, now=now)

        assert desk.changed == {command.lead_id, desk.team().id, *desk.deals}
        assert [entry.kind for entry in desk.entries] == [Happening.OPENED]

    def test_gives_many_leads_of_one_batch_to_the_reps_in_turn(
        self, desk: Desk, reps: list[Rep], a_qualified_lead: Qualified, now: datetime
    ) -> None:
        for _ in range(4):
            open_deal(a_qualified_lead(), desk, now=now)

        owners = [deal.owner_id for deal in desk.deals.values()]
        assert owners == [reps[0].id, reps[1].id] * 2

    def test_leaves_no_deal_without_an_owner(
        self,
        desk: Desk,
        reps: list[Rep],
        fallback: Rep,
        a_qualified_lead: Qualified,
        now: datetime,
    ) -> None:
        for rep in reps:
            rep.state = RepState.AWAY
        open_deal(a_qualified_lead(), desk, now=now)

        assert [deal.owner_id for deal in desk.deals.values()] == [fallback.id]

    def test_says_nothing_where_a_deal_is_open_and_only_updates_its_score(
        self, desk: Desk, deal: Deal, a_qualified_lead: Qualified, now: datetime
    ) -> None:
        events = open_deal(a_qualified_lead(deal.lead_id, version=2, score=91), desk, now=now)

        assert events == []
        assert list(desk.deals) == [deal.id]
        assert deal.score == 91
        assert desk.changed == {deal.id, deal.lead_id}

    def test_takes_the_flag_from_an_open_deal_and_says_that_it_is_reopened(
        self, desk: Desk, deal: Deal, a_qualified_lead: Qualified, now: datetime
    ) -> None:
        flag_deal(
            FlagDeal(
                lead_id=deal.lead_id,
                word=Word(said_of=deal.lead_id, lead_version=1),
                reason="unreachable",
            ),
            desk,
            now=now,
        )
        (event,) = open_deal(a_qualified_lead(deal.lead_id, version=2), desk, now=now)

        assert isinstance(event, DealOpened)
        assert (event.deal_id, event.reopened, event.owner_id) == (deal.id, True, deal.owner_id)
        assert deal.flag is None
        assert list(desk.deals) == [deal.id]

    def test_opens_another_deal_after_the_first_was_recycled(
        self, desk: Desk, deal: Deal, a_qualified_lead: Qualified, now: datetime
    ) -> None:
        recycle_deal(RecycleDeal(deal_id=deal.id, reason="too early"), desk, now=now)
        (event,) = open_deal(a_qualified_lead(deal.lead_id, version=2), desk, now=now)

        assert isinstance(event, DealOpened)
        assert not event.reopened
        assert event.deal_id != deal.id
        assert len(desk.deals) == 2

    @pytest.mark.parametrize(("version", "kept"), [(1, 5), (5, 5), (6, 6)])
    def test_moves_the_lead_card_only_upward(
        self, desk: Desk, a_qualified_lead: Qualified, now: datetime, version: int, kept: int
    ) -> None:
        first = a_qualified_lead(version=5)
        open_deal(first, desk, now=now)
        open_deal(a_qualified_lead(first.lead_id, version=version), desk, now=now)

        assert desk.leads[first.lead_id].version == kept
