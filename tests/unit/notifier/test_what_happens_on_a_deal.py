"""Events of deals become tasks, move them, and end them."""

from tests.unit.notifier.making import (
    ADA,
    DAY,
    HOUR,
    NOW,
    ADeal,
    a_playbook,
    tasks_of,
)

from notifier.domain.playbook import Role
from notifier.domain.task import Cause, State
from notifier.usecases.close_deal import CloseDeal, close_deal
from notifier.usecases.desk import Desk
from notifier.usecases.follow_deal import follow_deal
from notifier.usecases.hand_over_deal import HandOverDeal, hand_over_deal
from notifier.usecases.keep_lead_card import KeepLeadCard, keep_lead_card
from shared.contracts.lead import LeadCard
from shared.contracts.task import TaskCreated
from shared.ids import RepId, new_id

LATER = NOW + 3 * DAY


class TestFollowDeal:
    def test_makes_the_playbooks_task_for_the_deals_owner_and_says_so(self) -> None:
        deal, desk = ADeal(), Desk(playbooks=[a_playbook(due_in=HOUR)])
        (event,) = follow_deal(deal.happens(), desk, now=LATER)

        (task,) = tasks_of(deal, desk)
        assert event == TaskCreated(
            lead_id=deal.lead_id,
            lead_version=1,
            task_id=task.id,
            deal_id=deal.deal_id,
            owner_id=deal.owner_id,
            task_kind="first_contact",
            title="First contact with Ada Lovelace",
            occurred_at=LATER,
            playbook="first contact",
            due_at=NOW + HOUR,
        )

    def test_counts_the_due_time_from_when_it_occurred_not_from_when_it_was_heard(self) -> None:
        deal, desk = ADeal(), Desk(playbooks=[a_playbook(due_in=HOUR)])
        follow_deal(deal.happens(), desk, now=LATER)

        (task,) = tasks_of(deal, desk)
        assert task.due_at == task.next_at == NOW + HOUR

    def test_makes_one_task_per_playbook_and_event_however_often_it_is_heard(self) -> None:
        deal, desk = ADeal(), Desk(playbooks=[a_playbook(), a_playbook()])
        opened = deal.happens()
        follow_deal(opened, desk, now=NOW)

        assert follow_deal(opened, desk, now=NOW) == []
        assert len(tasks_of(deal, desk)) == 2

    def test_makes_first_contact_anew_when_a_deal_is_opened_again(self) -> None:
        deal, desk = ADeal(), Desk(playbooks=[a_playbook()])
        follow_deal(deal.happens(), desk, now=NOW)

        assert len(follow_deal(deal.happens(), desk, now=LATER)) == 1

    def test_gives_marketings_tasks_to_no_rep(self) -> None:
        desk = Desk(playbooks=[a_playbook("deal.recycled", role=Role.MARKETING)])
        (event,) = follow_deal(ADeal().happens("deal.recycled"), desk, now=NOW)

        assert isinstance(event, TaskCreated)
        assert event.owner_id is None

    def test_takes_the_name_from_the_latest_card_whichever_topic_brought_it(self) -> None:
        deal, desk = ADeal(), Desk(playbooks=[a_playbook()])
        newer = LeadCard(first_name="Countess")
        keep_lead_card(KeepLeadCard(lead_id=deal.lead_id, version=2, card=newer), desk, now=NOW)
        (event,) = follow_deal(deal.happens(card=ADA), desk, now=NOW)

        assert isinstance(event, TaskCreated)
        assert (event.title, event.lead_version) == ("First contact with Countess", 2)

    def test_still_has_a_title_when_the_lead_has_no_name_or_no_card_came_yet(self) -> None:
        desk = Desk(playbooks=[a_playbook()])
        (by_mail,) = follow_deal(ADeal().happens(card=LeadCard(email="a@b.co")), desk, now=NOW)
        (unknown,) = follow_deal(ADeal().happens(card=None), desk, now=NOW)

        assert isinstance(by_mail, TaskCreated)
        assert isinstance(unknown, TaskCreated)
        assert by_mail.title == "First contact with a@b.co"
        assert unknown.title == "First contact with a lead without a name"


class TestCloseDeal:
    def test_cancels_what_was_to_be_done_then_makes_the_tasks_of_the_close(self) -> None:
        deal = ADeal()
        desk = Desk(playbooks=[a_playbook(), a_playbook("deal.won", name="welcome call")])
        follow_deal(deal.happens(), desk, now=NOW)
        (event,) = close_deal(CloseDeal(closing=deal.happens("deal.won")), desk, now=LATER)

        first, second = tasks_of(deal, desk)
        assert (first.state, first.cause, first.next_at) == (
            State.CANCELLED,
            Cause.DEAL_CLOSED,
            None,
        )
        assert (second.state, second.playbook) == (State.OPEN, "welcome call")
        assert isinstance(event, TaskCreated)

    def test_leaves_what_is_done_and_what_belongs_to_another_deal(self) -> None:
        deal, desk = ADeal(), Desk(playbooks=[a_playbook()])
        another = ADeal(lead_id=deal.lead_id)
        follow_deal(deal.happens(), desk, now=NOW)
        follow_deal(another.happens(), desk, now=NOW)
        done, other = tasks_of(deal, desk)
        done.complete(now=NOW)
        close_deal(CloseDeal(closing=deal.happens("deal.lost")), desk, now=LATER)

        assert (done.state, other.state) == (State.COMPLETED, State.OPEN)

    def test_heard_again_cancels_nothing_of_its_own(self) -> None:
        deal, desk = ADeal(), Desk(playbooks=[a_playbook("deal.won")])
        won = CloseDeal(closing=deal.happens("deal.won"))
        close_deal(won, desk, now=NOW)
        close_deal(won, desk, now=LATER)

        assert [task.state for task in tasks_of(deal, desk)] == [State.OPEN]


class TestHandOverDeal:
    def test_moves_what_is_to_be_done_to_the_new_owner(self) -> None:
        deal, desk = ADeal(), Desk(playbooks=[a_playbook()])
        follow_deal(deal.happens(), desk, now=NOW)
        new_owner = RepId(new_id())
        reassigned = deal.happens("deal.reassigned", owner_id=new_owner)
        hand_over_deal(HandOverDeal(reassigning=reassigned), desk, now=LATER)

        assert [task.owner_id for task in tasks_of(deal, desk)] == [new_owner]

    def test_leaves_marketings_tasks_and_what_is_done(self) -> None:
        deal = ADeal()
        desk = Desk(playbooks=[a_playbook(), a_playbook(role=Role.MARKETING)])
        follow_deal(deal.happens(), desk, now=NOW)
        done, marketings = tasks_of(deal, desk)
        done.complete(now=NOW)
        reassigned = deal.happens("deal.reassigned", owner_id=RepId(new_id()))
        hand_over_deal(HandOverDeal(reassigning=reassigned), desk, now=LATER)

        assert (done.owner_id, marketings.owner_id) == (deal.owner_id, None)
