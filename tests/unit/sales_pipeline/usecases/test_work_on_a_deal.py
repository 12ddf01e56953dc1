"""What a rep does with a deal: take it on, move it, hand it over, write on it."""

from datetime import date, datetime, timedelta

import pytest

from sales_pipeline.domain.deal import (
    AmountIncomplete,
    Deal,
    DealAlreadyAccepted,
    DealAlreadyClosed,
)
from sales_pipeline.domain.money import Money
from sales_pipeline.domain.rep import Rep
from sales_pipeline.domain.stage import Stage
from sales_pipeline.domain.timeline import ActivityInTheFuture, ActivityKind, Happening
from sales_pipeline.usecases.accept_deal import AcceptDeal, accept_deal
from sales_pipeline.usecases.amend_deal import AmendDeal, Amendments, amend_deal
from sales_pipeline.usecases.desk import Desk, UnknownRep
from sales_pipeline.usecases.lose_deal import LoseDeal, lose_deal
from sales_pipeline.usecases.move_deal import MoveDeal, move_deal
from sales_pipeline.usecases.reassign_deal import ReassignDeal, reassign_deal
from sales_pipeline.usecases.record_activity import RecordActivity, record_activity
from sales_pipeline.usecases.recycle_deal import RecycleDeal, recycle_deal
from shared.contracts.deal import (
    DealAccepted,
    DealLost,
    DealReassigned,
    DealRecycled,
    DealStageChanged,
)
from shared.contracts.event import Event
from shared.ids import RepId, new_id


def kinds(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events]


class TestAcceptDeal:
    def test_is_said_once_however_often_the_owner_accepts(
        self, desk: Desk, deal: Deal, now: datetime
    ) -> None:
        first = accept_deal(AcceptDeal(deal_id=deal.id), desk, now=now)
        again = accept_deal(AcceptDeal(deal_id=deal.id, rep_id=deal.owner_id), desk, now=now)

        assert kinds(first) == [DealAccepted]
        assert again == []

    def test_makes_a_colleague_who_accepts_the_owner(
        self, desk: Desk, deal: Deal, reps: list[Rep], now: datetime
    ) -> None:
        ada, ben = reps
        events = accept_deal(AcceptDeal(deal_id=deal.id, rep_id=ben.id), desk, now=now)

        assert kinds(events) == [DealReassigned, DealAccepted]
        assert isinstance(events[0], DealReassigned)
        assert (events[0].previous_owner_id, events[0].owner_id) == (ada.id, ben.id)

    def test_is_refused_to_the_second_of_two_reps(
        self, desk: Desk, deal: Deal, reps: list[Rep], now: datetime
    ) -> None:
        accept_deal(AcceptDeal(deal_id=deal.id, rep_id=reps[1].id), desk, now=now)

        with pytest.raises(DealAlreadyAccepted):
            accept_deal(AcceptDeal(deal_id=deal.id, rep_id=reps[0].id), desk, now=now)

    def test_is_refused_to_a_rep_whom_nobody_knows(
        self, desk: Desk, deal: Deal, now: datetime
    ) -> None:
        stranger = RepId(new_id())

        with pytest.raises(UnknownRep, match=str(stranger)):
            accept_deal(AcceptDeal(deal_id=deal.id, rep_id=stranger), desk, now=now)
        assert deal.acceptance is None


class TestMoveDeal:
    def test_to_contacted_does_not_take_the_deal_on(
        self, desk: Desk, deal: Deal, now: datetime
    ) -> None:
        events = move_deal(MoveDeal(deal_id=deal.id, stage=Stage.CONTACTED), desk, now=now)

        assert kinds(events) == [DealStageChanged]
        assert deal.acceptance is None

    def test_past_first_contact_takes_the_deal_on_for_its_owner(
        self, desk: Desk, deal: Deal, now: datetime
    ) -> None:
        events = move_deal(MoveDeal(deal_id=deal.id, stage=Stage.PROPOSAL), desk, now=now)

        assert kinds(events) == [DealAccepted, DealStageChanged]
        assert isinstance(events[1], DealStageChanged)
        assert (events[1].from_stage, events[1].to_stage) == ("new", "proposal")
        assert [entry.kind for entry in desk.entries] == [
            Happening.ACCEPTED,
            Happening.STAGE_CHANGED,
        ]

    def test_to_where_it_stands_says_nothing(self, desk: Desk, deal: Deal, now: datetime) -> None:
        events = move_deal(MoveDeal(deal_id=deal.id, stage=Stage.NEW), desk, now=now)

        assert events == []
        assert desk.entries == []


class TestReassignDeal:
    def test_says_who_has_the_deal_now(
        self, desk: Desk, deal: Deal, reps: list[Rep], now: datetime
    ) -> None:
        events = reassign_deal(ReassignDeal(deal_id=deal.id, owner_id=reps[1].id), desk, now=now)

        assert kinds(events) == [DealReassigned]
        assert deal.owner_id == reps[1].id

    def test_to_its_owner_says_nothing(self, desk: Desk, deal: Deal, now: datetime) -> None:
        command = ReassignDeal(deal_id=deal.id, owner_id=deal.owner_id)

        assert reassign_deal(command, desk, now=now) == []


class TestEndingADeal:
    def test_recycling_tells_marketing_the_reason_and_the_stage(
        self, desk: Desk, deal: Deal, now: datetime
    ) -> None:
        (event,) = recycle_deal(RecycleDeal(deal_id=deal.id, reason="too early"), desk, now=now)

        assert isinstance(event, DealRecycled)
        assert (event.reason, event.stage) == ("too early", "new")
        assert desk.open_deal_of(deal.lead_id) is None

    def test_losing_tells_at_which_stage(self, desk: Desk, deal: Deal, now: datetime) -> None:
        move_deal(MoveDeal(deal_id=deal.id, stage=Stage.NEGOTIATION), desk, now=now)
        (event,) = lose_deal(LoseDeal(deal_id=deal.id, reason="price"), desk, now=now)

        assert isinstance(event, DealLost)
        assert (event.reason, event.stage) == ("price", "negotiation")
        assert deal.stage is Stage.LOST


class TestAmendDeal:
    @pytest.mark.parametrize(
        ("amendments", "amount", "close_on"),
        [
            ({}, Money(amount_minor=500, currency="EUR"), date(2026, 5, 1)),
            ({"amount_minor": 900}, Money(amount_minor=900, currency="EUR"), date(2026, 5, 1)),
            ({"amount_minor": None}, None, date(2026, 5, 1)),
            ({"expected_close_on": None}, Money(amount_minor=500, currency="EUR"), None),
        ],
    )
    def test_changes_what_is_named_and_leaves_the_rest(
        self,
        desk: Desk,
        deal: Deal,
        now: datetime,
        amendments: Amendments,
        amount: Money | None,
        close_on: date | None,
    ) -> None:
        deal.amount = Money(amount_minor=500, currency="EUR")
        deal.expected_close_on = date(2026, 5, 1)
        events = amend_deal(AmendDeal(deal_id=deal.id, amendments=amendments), desk, now=now)

        assert events == []
        assert (deal.amount, deal.expected_close_on) == (amount, close_on)

    @pytest.mark.parametrize("half", [{"amount_minor": 1}, {"currency": "EUR"}])
    def test_asks_for_the_other_half_of_an_amount(
        self, desk: Desk, deal: Deal, now: datetime, half: Amendments
    ) -> None:
        with pytest.raises(AmountIncomplete, match="amount_minor and currency together"):
            amend_deal(AmendDeal(deal_id=deal.id, amendments=half), desk, now=now)

    def test_writes_nothing_where_nothing_changes(
        self, desk: Desk, deal: Deal, now: datetime
    ) -> None:
        amend_deal(AmendDeal(deal_id=deal.id, amendments={}), desk, now=now)

        assert desk.changed == set()


class TestRecordActivity:
    def test_puts_what_was_done_on_the_timeline(
        self, desk: Desk, deal: Deal, now: datetime
    ) -> None:
        yesterday = now - timedelta(days=1)
        record_activity(
            RecordActivity(
                deal_id=deal.id, kind=ActivityKind.OBJECTION, text="dear", occurred_at=yesterday
            ),
            desk,
            now=now,
        )

        (entry,) = desk.entries
        assert (entry.kind, entry.text, entry.occurred_at) == ("objection", "dear", yesterday)

    def test_is_possible_after_the_end_of_a_deal(
        self, desk: Desk, deal: Deal, now: datetime
    ) -> None:
        lose_deal(LoseDeal(deal_id=deal.id, reason="price"), desk, now=now)
        record_activity(RecordActivity(deal_id=deal.id, kind=ActivityKind.CALL), desk, now=now)

        assert desk.entries[-1].kind is ActivityKind.CALL
        with pytest.raises(DealAlreadyClosed):
            lose_deal(LoseDeal(deal_id=deal.id, reason="price"), desk, now=now)

    def test_refuses_what_did_not_happen_yet(self, desk: Desk, deal: Deal, now: datetime) -> None:
        tomorrow = now + timedelta(days=1)

        with pytest.raises(ActivityInTheFuture):
            record_activity(
                RecordActivity(deal_id=deal.id, kind=ActivityKind.DEMO, occurred_at=tomorrow),
                desk,
                now=now,
            )
