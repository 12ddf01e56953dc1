"""How deals end, and when a lead may be handed over again."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from lead_scoring.domain.lead import Qualification
from lead_scoring.domain.person import Consent, Person
from lead_scoring.domain.rating import Touchpoint
from lead_scoring.usecases.desk import Desk
from lead_scoring.usecases.note_open_deal import NoteOpenDeal, note_open_deal
from lead_scoring.usecases.record_outcome import RecordOutcome, record_outcome
from lead_scoring.usecases.score_lead import ScoreLead, score_lead
from shared.contracts.event import Event
from shared.contracts.score import LeadDisqualified, LeadQualified
from shared.ids import new_id

Heard = Callable[..., ScoreLead]
A_Touchpoint = Callable[..., Touchpoint]
LEAD, DEAL = new_id(), new_id()
AGAIN = [Qualification.RECYCLED, Qualification.LOST]


@pytest.fixture
def ended_at(now: datetime) -> datetime:
    """When sales ended the deal: an hour after the lead came in."""
    return now + timedelta(hours=1)


@pytest.fixture
def qualified(desk: Desk, heard: Heard, now: datetime) -> Desk:
    score_lead(heard(LEAD), desk, now=now)
    return desk


def end(desk: Desk, how: Qualification, at: datetime) -> list[Event]:
    return record_outcome(RecordOutcome(LEAD, DEAL, new_id(), how, at), desk, now=at)


@pytest.mark.parametrize("how", AGAIN)
def test_an_engagement_after_the_end_that_is_heard_after_it_qualifies_again(
    qualified: Desk,
    heard: Heard,
    a_touchpoint: A_Touchpoint,
    ended_at: datetime,
    how: Qualification,
) -> None:
    said = end(qualified, how, ended_at)
    came = a_touchpoint(at=ended_at + timedelta(seconds=1))
    (event,) = score_lead(heard(LEAD, touchpoint=came), qualified, now=ended_at)

    assert said == []
    assert isinstance(event, LeadQualified)


@pytest.mark.parametrize("how", AGAIN)
def test_an_engagement_after_the_end_that_is_heard_before_it_qualifies_again(
    qualified: Desk,
    heard: Heard,
    a_touchpoint: A_Touchpoint,
    ended_at: datetime,
    how: Qualification,
) -> None:
    came = a_touchpoint(at=ended_at + timedelta(seconds=1))
    said = score_lead(heard(LEAD, touchpoint=came), qualified, now=ended_at)
    (event,) = end(qualified, how, ended_at)

    assert said == []
    assert isinstance(event, LeadQualified)
    assert qualified.leads[LEAD].qualification is Qualification.QUALIFIED


@pytest.mark.parametrize("how", AGAIN)
@pytest.mark.parametrize("late", [True, False])
def test_an_engagement_at_or_before_the_end_does_not_whenever_it_is_heard(
    qualified: Desk,
    heard: Heard,
    a_touchpoint: A_Touchpoint,
    ended_at: datetime,
    how: Qualification,
    *,
    late: bool,
) -> None:
    touch = heard(LEAD, touchpoint=a_touchpoint(at=ended_at))
    said = [] if late else score_lead(touch, qualified, now=ended_at)
    said += end(qualified, how, ended_at)
    said += score_lead(touch, qualified, now=ended_at) if late else []

    assert said == []
    assert qualified.leads[LEAD].qualification is how


def test_data_that_is_corrected_after_the_end_is_no_engagement(
    qualified: Desk, heard: Heard, ended_at: datetime
) -> None:
    end(qualified, Qualification.RECYCLED, ended_at)
    said = score_lead(heard(LEAD, version=2, quiet=True), qualified, now=ended_at)

    assert said == []


def test_a_won_lead_does_not_qualify_again_by_itself(
    qualified: Desk, heard: Heard, a_touchpoint: A_Touchpoint, ended_at: datetime
) -> None:
    end(qualified, Qualification.WON, ended_at)
    came = a_touchpoint(at=ended_at + timedelta(days=1))
    said = score_lead(heard(LEAD, touchpoint=came), qualified, now=ended_at)

    assert said == []
    assert qualified.leads[LEAD].qualification is Qualification.WON


def test_new_interest_after_the_end_waits_for_the_score_to_cross(
    desk: Desk, heard: Heard, a_touchpoint: A_Touchpoint, ended_at: datetime
) -> None:
    end(desk, Qualification.LOST, ended_at)
    poor = Person(email="ada@acme.example")
    first = heard(LEAD, poor, a_touchpoint(at=ended_at + timedelta(seconds=1)))
    score_lead(first, desk, now=ended_at)
    assert desk.leads[LEAD].qualification is Qualification.LOST
    (event,) = score_lead(heard(LEAD, version=2, quiet=True), desk, now=ended_at)

    assert isinstance(event, LeadQualified)


def test_a_deal_that_ends_while_consent_is_withdrawn_needs_new_interest(
    qualified: Desk, heard: Heard, a_touchpoint: A_Touchpoint, now: datetime, ended_at: datetime
) -> None:
    refusing = Person(email="a@b.example", company="Acme", consents=(Consent("email", False, now),))
    score_lead(heard(LEAD, refusing, version=2, quiet=True), qualified, now=now)
    end(qualified, Qualification.RECYCLED, ended_at)
    back = score_lead(heard(LEAD, version=3, quiet=True), qualified, now=ended_at)
    came = a_touchpoint(at=ended_at + timedelta(seconds=1))
    (event,) = score_lead(heard(LEAD, version=4, touchpoint=came), qualified, now=ended_at)

    assert back == []
    assert isinstance(event, LeadQualified)


def test_a_deal_that_opens_after_a_late_end_shows_that_sales_has_the_lead(
    qualified: Desk, heard: Heard, ended_at: datetime
) -> None:
    end(qualified, Qualification.RECYCLED, ended_at)
    said = note_open_deal(NoteOpenDeal(LEAD, DEAL, new_id()), qualified, now=ended_at)
    (gone,) = score_lead(
        heard(LEAD, Person(company="Acme"), version=2, quiet=True), qualified, now=ended_at
    )

    assert said == []
    assert isinstance(gone, LeadDisqualified)


def test_an_opened_deal_says_nothing_of_a_lead_that_was_disqualified_meanwhile(
    qualified: Desk, heard: Heard, now: datetime
) -> None:
    score_lead(heard(LEAD, Person(company="Acme"), version=2, quiet=True), qualified, now=now)
    said = note_open_deal(NoteOpenDeal(LEAD, DEAL, new_id()), qualified, now=now)

    assert said == []
    assert qualified.leads[LEAD].qualification is Qualification.DISQUALIFIED
