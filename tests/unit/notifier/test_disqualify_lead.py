"""A disqualification ends what is older than it: the same end, whichever topic is ahead."""

from tests.unit.notifier.making import NOW, ADeal, a_disqualification, a_playbook, tasks_of

from notifier.domain.task import Cause, State
from notifier.usecases.desk import Desk
from notifier.usecases.disqualify_lead import disqualify_lead
from notifier.usecases.follow_deal import follow_deal
from shared.ids import new_id


class TestDisqualifyLead:
    def test_cancels_what_was_to_be_done_for_the_lead_in_all_its_deals(self) -> None:
        deal, desk = ADeal(), Desk(playbooks=[a_playbook()])
        follow_deal(deal.happens(), desk, now=NOW)
        follow_deal(ADeal(lead_id=deal.lead_id).happens(), desk, now=NOW)
        disqualify_lead(a_disqualification(deal, new_id()), desk, now=NOW)

        assert [task.cause for task in tasks_of(deal, desk)] == [Cause.LEAD_DISQUALIFIED] * 2

    def test_heard_first_still_ends_what_was_older(self) -> None:
        deal, desk = ADeal(), Desk(playbooks=[a_playbook()])
        opened = deal.happens()
        disqualify_lead(a_disqualification(deal, new_id()), desk, now=NOW)

        assert follow_deal(opened, desk, now=NOW) == []
        assert [task.state for task in tasks_of(deal, desk)] == [State.CANCELLED]

    def test_ends_the_task_of_a_deal_that_an_outlived_qualification_opened_late(self) -> None:
        deal, desk = ADeal(), Desk(playbooks=[a_playbook()])
        qualified, disqualified = new_id(), new_id()
        disqualify_lead(a_disqualification(deal, disqualified), desk, now=NOW)

        assert follow_deal(deal.happens(cause=qualified), desk, now=NOW) == []

    def test_heard_late_leaves_what_a_newer_qualification_led_to(self) -> None:
        deal, desk = ADeal(), Desk(playbooks=[a_playbook()])
        before, disqualified, after = new_id(), new_id(), new_id()
        follow_deal(deal.happens(cause=before), desk, now=NOW)
        follow_deal(deal.happens(cause=after), desk, now=NOW)
        disqualify_lead(a_disqualification(deal, disqualified), desk, now=NOW)

        assert [task.state for task in tasks_of(deal, desk)] == [State.CANCELLED, State.OPEN]

    def test_heard_in_order_leaves_what_a_newer_qualification_leads_to(self) -> None:
        deal, desk = ADeal(), Desk(playbooks=[a_playbook()])
        disqualify_lead(a_disqualification(deal, new_id()), desk, now=NOW)

        assert len(follow_deal(deal.happens(cause=new_id()), desk, now=NOW)) == 1
