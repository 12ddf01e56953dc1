"""What other services say about a lead, and what it does to that lead's deal."""

from datetime import datetime

import pytest

from sales_pipeline.domain.deal import Deal
from sales_pipeline.domain.timeline import Happening
from sales_pipeline.usecases.desk import Desk
from sales_pipeline.usecases.flag_deal import FlagDeal, flag_deal
from sales_pipeline.usecases.known_lead import Word
from sales_pipeline.usecases.lose_deal import LoseDeal, lose_deal
from sales_pipeline.usecases.score_deal import ScoreDeal, score_deal
from sales_pipeline.usecases.show_task import ShowTask, show_task
from shared.ids import DealId, LeadId, new_id


def a_task(deal_id: DealId | None, now: datetime) -> ShowTask:
    return ShowTask(
        deal_id=deal_id,
        task_id=new_id(),
        happening=Happening.TASK_CREATED,
        task_kind="call",
        title="First contact",
        occurred_at=now,
        due_at=now,
    )


def test_a_new_score_is_kept_on_the_open_deal(desk: Desk, deal: Deal, now: datetime) -> None:
    events = score_deal(
        ScoreDeal(
            lead_id=deal.lead_id,
            word=Word(said_of=deal.lead_id, lead_version=1),
            score=12,
            grade="D4",
        ),
        desk,
        now=now,
    )

    assert events == []
    assert (deal.score, deal.grade) == (12, "D4")
    assert desk.entries[0].detail == {"previous_score": 70, "score": 12, "grade": "D4"}


def test_a_score_that_is_known_leaves_no_line(desk: Desk, deal: Deal, now: datetime) -> None:
    score_deal(
        ScoreDeal(
            lead_id=deal.lead_id,
            word=Word(said_of=deal.lead_id, lead_version=1),
            score=deal.score,
            grade=deal.grade,
        ),
        desk,
        now=now,
    )

    assert desk.entries == []


def test_a_disqualified_lead_flags_its_deal_and_does_not_close_it(
    desk: Desk, deal: Deal, now: datetime
) -> None:
    events = flag_deal(
        FlagDeal(
            lead_id=deal.lead_id,
            word=Word(said_of=deal.lead_id, lead_version=1),
            reason="consent_withdrawn",
        ),
        desk,
        now=now,
    )

    assert events == []
    assert deal.is_open
    assert deal.flag
    assert deal.flag.reason == "consent_withdrawn"


@pytest.mark.parametrize("ended", [True, False])
def test_scores_and_flags_leave_alone_what_is_not_open(
    desk: Desk, deal: Deal, now: datetime, *, ended: bool
) -> None:
    lose_deal(LoseDeal(deal_id=deal.id, reason="price"), desk, now=now)
    desk.entries.clear()
    lead_id = deal.lead_id if ended else LeadId(new_id())
    flag_deal(
        FlagDeal(lead_id=lead_id, word=Word(said_of=lead_id, lead_version=1), reason="unreachable"),
        desk,
        now=now,
    )
    score_deal(
        ScoreDeal(lead_id=lead_id, word=Word(said_of=lead_id, lead_version=1), score=1, grade="D4"),
        desk,
        now=now,
    )

    assert desk.entries == []
    assert deal.flag is None
    assert deal.score == 70


def test_a_task_stands_on_the_timeline_of_its_deal_even_after_the_end(
    desk: Desk, deal: Deal, now: datetime
) -> None:
    lose_deal(LoseDeal(deal_id=deal.id, reason="price"), desk, now=now)
    show_task(a_task(deal.id, now), desk, now=now)

    assert desk.entries[-1].kind is Happening.TASK_CREATED
    assert desk.entries[-1].text == "First contact"
    assert desk.entries[-1].detail["due_at"] == f"{now:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("deal_id", [None, DealId(new_id())])
def test_a_task_about_no_deal_of_ours_leaves_no_line(
    desk: Desk, deal: Deal, now: datetime, deal_id: DealId | None
) -> None:
    show_task(a_task(deal_id, now), desk, now=now)

    assert desk.entries == []
    assert list(desk.deals) == [deal.id]


def test_what_is_left_is_not_saved_and_the_others_stay(
    desk: Desk, deal: Deal, now: datetime
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
    desk.leave(deal.lead_id)

    assert deal.id not in desk.deals
    assert deal.lead_id not in desk.leads
    assert desk.entries == []
    assert desk.reps
