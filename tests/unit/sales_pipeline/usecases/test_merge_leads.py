"""Two leads that are one person: one card, one customer, at most one open deal."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from sales_pipeline.domain.deal import Deal, Outcome
from sales_pipeline.domain.money import Money
from sales_pipeline.domain.stage import Stage
from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.accept_deal import AcceptDeal, accept_deal
from sales_pipeline.usecases.desk import Desk
from sales_pipeline.usecases.flag_deal import FlagDeal, flag_deal
from sales_pipeline.usecases.keep_lead_card import KeepLeadCard, keep_lead_card
from sales_pipeline.usecases.known_lead import Word
from sales_pipeline.usecases.merge_leads import MergeLeads, merge_leads
from sales_pipeline.usecases.move_deal import MoveDeal, move_deal
from sales_pipeline.usecases.open_deal import OpenDeal, open_deal
from sales_pipeline.usecases.score_deal import ScoreDeal, score_deal
from sales_pipeline.usecases.win_deal import WinDeal, win_deal
from shared.aliases import Alias
from shared.contracts.deal import DealMerged, DealOpened
from shared.contracts.event import Event
from shared.contracts.lead import LeadCard
from shared.ids import LeadId, new_id

Qualified = Callable[..., OpenDeal]
GOES, STAYS = LeadId(new_id()), LeadId(new_id())
CARD = LeadCard(email="ada@lovelace.example")
MERGED = 7


def merge(desk: Desk, *, now: datetime) -> list[Event]:
    command = MergeLeads(
        lead_id=STAYS, merged_id=GOES, alias=GOES, survivor=Alias(STAYS, MERGED), card=CARD
    )
    return merge_leads(command, desk, now=now)


@pytest.fixture
def opened(desk: Desk, a_qualified_lead: Qualified, now: datetime) -> Callable[[LeadId], Deal]:
    """Open a deal for one of the two; each is a minute younger than the one before."""

    def build(lead_id: LeadId) -> Deal:
        at = now + timedelta(minutes=len(desk.deals))
        open_deal(a_qualified_lead(lead_id), desk, now=at)
        deal = desk.open_deal_of(lead_id)
        assert deal
        return deal

    return build


class TestOneOpenDeal:
    def test_the_deal_of_the_lead_that_goes_becomes_the_survivors(
        self, desk: Desk, opened: Callable[[LeadId], Deal], now: datetime
    ) -> None:
        deal = opened(GOES)

        assert merge(desk, now=now) == []
        assert desk.open_deal_of(STAYS) is deal
        assert (deal.lead_id, deal.opened_for, deal.is_open) == (STAYS, GOES, True)
        assert desk.leads[STAYS].card == CARD

    def test_of_two_the_older_one_stays_and_the_other_says_that_it_gave_way(
        self, desk: Desk, opened: Callable[[LeadId], Deal], now: datetime
    ) -> None:
        older, younger = opened(STAYS), opened(GOES)

        (said,) = merge(desk, now=now)

        assert desk.open_deal_of(STAYS) is older
        assert younger.closing
        assert (younger.closing.outcome, younger.stage) == (Outcome.MERGED, Stage.NEW)
        assert isinstance(said, DealMerged)
        assert (said.deal_id, said.into_deal_id) == (younger.id, older.id)
        assert (said.lead_id, said.lead_version) == (GOES, MERGED)

    def test_one_that_was_taken_on_stays_before_an_older_one(
        self, desk: Desk, opened: Callable[[LeadId], Deal], now: datetime
    ) -> None:
        opened(STAYS)
        taken = opened(GOES)
        accept_deal(AcceptDeal(deal_id=taken.id), desk, now=now)

        merge(desk, now=now)

        assert desk.open_deal_of(STAYS) is taken

    def test_one_that_came_further_stays_before_one_that_was_taken_on(
        self, desk: Desk, opened: Callable[[LeadId], Deal], now: datetime
    ) -> None:
        taken, further = opened(STAYS), opened(GOES)
        accept_deal(AcceptDeal(deal_id=taken.id), desk, now=now)
        move_deal(MoveDeal(deal_id=further.id, stage=Stage.DEMO), desk, now=now)

        (said,) = merge(desk, now=now)

        assert desk.open_deal_of(STAYS) is further
        assert said.lead_id == STAYS

    def test_the_word_that_made_the_other_deal_opens_no_second_one_when_it_comes_late(
        self,
        desk: Desk,
        opened: Callable[[LeadId], Deal],
        a_qualified_lead: Qualified,
        now: datetime,
    ) -> None:
        deal = opened(STAYS)
        merge(desk, now=now)
        late = a_qualified_lead(GOES, score=99)

        assert open_deal(replace(late, lead_id=STAYS), desk, now=now) == []
        assert (desk.open_deal_of(STAYS), deal.score) == (deal, 70)

    def test_the_word_that_comes_late_opens_the_deal_if_there_is_none(
        self, desk: Desk, a_qualified_lead: Qualified, now: datetime
    ) -> None:
        merge(desk, now=now)

        (said,) = open_deal(replace(a_qualified_lead(GOES), lead_id=STAYS), desk, now=now)

        assert isinstance(said, DealOpened)
        assert (said.lead_id, said.lead.email) == (GOES, "ada@lovelace.example")


class TestWhatScoringSaid:
    @pytest.mark.parametrize("first", ["merge", "word"])
    def test_a_flag_for_both_is_on_the_deal_that_stays(
        self, first: str, desk: Desk, opened: Callable[[LeadId], Deal], now: datetime
    ) -> None:
        deal = opened(GOES)
        keep_lead_card(KeepLeadCard(lead_id=STAYS, version=1, card=CARD), desk, now=now)
        word = Word(said_of=STAYS, lead_version=MERGED)
        flag = FlagDeal(lead_id=STAYS, word=word, reason="consent_withdrawn")
        score = ScoreDeal(lead_id=STAYS, word=word, score=12, grade="D4")

        if first == "merge":
            merge(desk, now=now)
        flag_deal(flag, desk, now=now)
        score_deal(score, desk, now=now)
        if first == "word":
            merge(desk, now=now)

        assert deal.flag
        assert (deal.flag.reason, deal.score) == ("consent_withdrawn", 12)

    def test_a_late_flag_of_the_one_is_not_on_the_deal_of_the_other(
        self, desk: Desk, opened: Callable[[LeadId], Deal], now: datetime
    ) -> None:
        deal = opened(STAYS)
        merge(desk, now=now)
        word = Word(said_of=GOES, lead_version=1)

        flag_deal(FlagDeal(lead_id=STAYS, word=word, reason="unreachable"), desk, now=now)
        score_deal(ScoreDeal(lead_id=STAYS, word=word, score=1, grade="D4"), desk, now=now)

        assert (deal.flag, deal.score) == (None, 70)

    def test_a_late_flag_does_not_stand_against_what_was_said_of_both(
        self,
        desk: Desk,
        opened: Callable[[LeadId], Deal],
        a_qualified_lead: Qualified,
        now: datetime,
    ) -> None:
        deal = opened(GOES)
        merge(desk, now=now)
        open_deal(a_qualified_lead(STAYS, version=MERGED), desk, now=now)
        word = Word(said_of=GOES, lead_version=1)

        flag_deal(FlagDeal(lead_id=STAYS, word=word, reason="unreachable"), desk, now=now)

        assert deal.flag is None

    def test_a_late_qualification_opens_no_deal_as_if_the_person_might_be_worked(
        self, desk: Desk, a_qualified_lead: Qualified, now: datetime
    ) -> None:
        merge(desk, now=now)
        word = Word(said_of=STAYS, lead_version=MERGED)
        flag_deal(FlagDeal(lead_id=STAYS, word=word, reason="unreachable"), desk, now=now)
        score_deal(ScoreDeal(lead_id=STAYS, word=word, score=12, grade="D4"), desk, now=now)

        (said,) = open_deal(replace(a_qualified_lead(GOES), lead_id=STAYS), desk, now=now)

        deal = desk.open_deal_of(STAYS)
        assert deal
        assert deal.flag
        assert isinstance(said, DealOpened)
        assert (deal.flag.reason, deal.score, said.score) == ("unreachable", 12, 12)

    def test_a_flag_that_does_not_hold_for_the_person_is_taken_away_and_that_is_said(
        self,
        desk: Desk,
        opened: Callable[[LeadId], Deal],
        a_qualified_lead: Qualified,
        now: datetime,
    ) -> None:
        deal = opened(GOES)
        word = Word(said_of=GOES, lead_version=1)
        flag_deal(FlagDeal(lead_id=GOES, word=word, reason="unreachable"), desk, now=now)
        open_deal(a_qualified_lead(STAYS, version=MERGED), desk, now=now + timedelta(minutes=1))

        ended, reopened = merge(desk, now=now)

        assert isinstance(ended, DealMerged)
        assert isinstance(reopened, DealOpened)
        assert (reopened.deal_id, reopened.lead_id, reopened.reopened) == (deal.id, GOES, True)
        assert deal.flag is None
        assert desk.entries[-1].kind is Happening.REOPENED


class TestOneCustomer:
    def win(self, deal: Deal, desk: Desk, *, amount: int, now: datetime) -> None:
        win_deal(WinDeal(deal_id=deal.id, amount=Money(amount, "EUR")), desk, now=now)

    def test_what_both_bought_adds_up(
        self, desk: Desk, opened: Callable[[LeadId], Deal], now: datetime
    ) -> None:
        self.win(opened(GOES), desk, amount=100, now=now)
        self.win(opened(STAYS), desk, amount=20, now=now + timedelta(days=1))

        merge(desk, now=now)

        customer = desk.customers[STAYS]
        assert GOES not in desk.customers
        assert (customer.order_count, customer.lifetime_value) == (2, {"EUR": 120})
        assert customer.last_purchase_at == now + timedelta(days=1)

    def test_a_customer_of_one_name_is_the_survivors(
        self, desk: Desk, opened: Callable[[LeadId], Deal], now: datetime
    ) -> None:
        self.win(opened(GOES), desk, amount=100, now=now)

        merge(desk, now=now)

        assert desk.customers[STAYS].lead_id == STAYS
        assert desk.customers[STAYS].id in desk.changed
