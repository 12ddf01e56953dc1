"""Two leads that are one person: their tasks, and what was held against them."""

from dataclasses import replace

import pytest
from tests.unit.notifier.making import (
    ADA,
    NOW,
    ADeal,
    a_disqualification,
    a_playbook,
    tasks_of,
)

from notifier.domain.task import Cause, State
from notifier.usecases.close_deal import CloseDeal, close_deal
from notifier.usecases.desk import Desk
from notifier.usecases.disqualify_lead import disqualify_lead
from notifier.usecases.follow_deal import follow_deal
from notifier.usecases.merge_leads import MergeLeads, merge_leads
from shared.aliases import Alias
from shared.contracts.lead import LeadCard
from shared.ids import LeadId, new_id

STAYS = LeadId(new_id())
CARD = LeadCard(first_name="Augusta", last_name="King")


def merge(theirs: ADeal, desk: Desk, *, version: int = 5) -> None:
    gone, survivor = theirs.lead_id, Alias(STAYS, version)
    command = MergeLeads(lead_id=STAYS, merged_id=gone, alias=gone, survivor=survivor, card=CARD)
    assert merge_leads(command, desk, now=NOW) == []


def after_merge(theirs: ADeal) -> ADeal:
    """The same deal as it is heard once its lead is an alias."""
    return ADeal(
        lead_id=STAYS,
        deal_id=theirs.deal_id,
        owner_id=theirs.owner_id,
        opened_for=theirs.lead_id,
    )


class TestMergeLeads:
    def test_tasks_of_both_are_the_survivors_and_keep_the_name_their_deal_goes_by(self) -> None:
        theirs, ours = ADeal(), ADeal(lead_id=STAYS)
        desk = Desk(playbooks=[a_playbook()])
        for deal in (theirs, ours):
            follow_deal(deal.happens(), desk, now=NOW)

        merge(theirs, desk)

        assert tasks_of(theirs, desk) == []
        assert {(task.lead_id, task.opened_for) for task in tasks_of(ours, desk)} == {
            (STAYS, theirs.lead_id),
            (STAYS, STAYS),
        }

    def test_no_event_makes_its_task_again_when_it_comes_by_the_other_name(self) -> None:
        theirs, desk = ADeal(), Desk(playbooks=[a_playbook()])
        opened = theirs.happens()
        follow_deal(opened, desk, now=NOW)

        merge(theirs, desk)
        again = replace(after_merge(theirs).happens(), trigger=opened.trigger)
        events = follow_deal(again, desk, now=NOW)

        assert events == []
        assert len(tasks_of(after_merge(theirs), desk)) == 1

    def test_the_card_of_the_merge_wins_over_those_of_before(self) -> None:
        theirs, desk = ADeal(), Desk(playbooks=[a_playbook()])
        merge(theirs, desk)

        (event,) = follow_deal(after_merge(theirs).happens(card=ADA), desk, now=NOW)

        assert event.title == "First contact with Augusta King"
        assert event.lead_id == theirs.lead_id

    def test_the_deal_that_gave_way_loses_its_tasks_and_the_other_keeps_its_own(self) -> None:
        theirs, ours = ADeal(), ADeal(lead_id=STAYS)
        desk = Desk(playbooks=[a_playbook()])
        for deal in (theirs, ours):
            follow_deal(deal.happens(), desk, now=NOW)
        merge(theirs, desk)

        gave_way = after_merge(theirs).happens("deal.merged")
        said = close_deal(CloseDeal(closing=gave_way), desk, now=NOW)

        states = {task.opened_for: (task.state, task.cause) for task in tasks_of(ours, desk)}
        assert said == []
        assert states == {
            theirs.lead_id: (State.CANCELLED, Cause.DEAL_CLOSED),
            STAYS: (State.OPEN, None),
        }

    def test_what_was_held_against_one_of_two_cancels_no_task_of_the_other(self) -> None:
        theirs, ours = ADeal(), ADeal(lead_id=STAYS)
        desk = Desk(playbooks=[a_playbook()])
        follow_deal(ours.happens(), desk, now=NOW)
        late, said = after_merge(theirs), a_disqualification(after_merge(theirs), new_id())
        merge(theirs, desk, version=5)

        disqualify_lead(said, desk, now=NOW)
        follow_deal(late.happens(cause=ours.deal_id), desk, now=NOW)

        states = {task.opened_for: task.state for task in tasks_of(ours, desk)}
        assert states == {STAYS: State.OPEN, theirs.lead_id: State.CANCELLED}

    @pytest.mark.parametrize("first", ["merge", "word"])
    def test_what_scoring_said_of_both_cancels_all_whichever_is_heard_first(
        self, first: str
    ) -> None:
        theirs, ours = ADeal(), ADeal(lead_id=STAYS)
        desk = Desk(playbooks=[a_playbook()])
        for deal in (theirs, ours):
            follow_deal(deal.happens(), desk, now=NOW)
        word = a_disqualification(ours, new_id(), lead_version=5)

        if first == "word":
            disqualify_lead(word, desk, now=NOW)
        merge(theirs, desk, version=5)
        if first == "merge":
            disqualify_lead(word, desk, now=NOW)

        assert {task.cause for task in tasks_of(ours, desk)} == {Cause.LEAD_DISQUALIFIED}
