"""What a lead's card and touchpoints make of it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from lead_scoring.domain.lead import Qualification
from lead_scoring.domain.person import Block, Consent, Person
from lead_scoring.domain.rating import Touchpoint
from lead_scoring.usecases.desk import Desk
from lead_scoring.usecases.score_lead import ScoreLead, score_lead
from shared.contracts.score import LeadDisqualified, LeadQualified, LeadScored
from shared.ids import new_id

Heard = Callable[..., ScoreLead]
A_Touchpoint = Callable[..., Touchpoint]
LEAD = new_id()
ADA = Person(email="ada@acme.example", company="Acme")


@pytest.fixture
def refusing(now: datetime) -> Person:
    withdrawn = Consent("email", granted=False, occurred_at=now)
    return Person(email="ada@acme.example", company="Acme", consents=(withdrawn,))


def test_crossing_the_threshold_says_lead_qualified_with_card_and_score(
    desk: Desk, heard: Heard, now: datetime
) -> None:
    command = heard(LEAD)
    (event,) = score_lead(command, desk, now=now)

    assert isinstance(event, LeadQualified)
    assert (event.lead_id, event.lead_version, event.qualified_at) == (LEAD, 1, now)
    assert event.lead.email == "ada@acme.example"
    assert (event.score.score, event.score.grade, event.score.threshold) == (60, "A1", 50)
    assert [(e.code, e.points, e.event_id) for e in event.score.entries] == [
        ("company", 30, command.event_id),
        ("form", 30, command.event_id),
    ]


def test_a_score_below_the_threshold_is_said_and_qualifies_nobody(
    desk: Desk, heard: Heard, now: datetime
) -> None:
    (event,) = score_lead(heard(LEAD, Person(email="ada@acme.example")), desk, now=now)

    assert isinstance(event, LeadScored)
    assert (event.score.score, event.score.grade) == (30, "D1")
    assert desk.leads[LEAD].qualification is Qualification.OPEN


def test_the_first_score_is_said_even_if_it_is_nothing(
    desk: Desk, heard: Heard, now: datetime
) -> None:
    (event,) = score_lead(heard(LEAD, Person(email="a@b.example"), quiet=True), desk, now=now)

    assert isinstance(event, LeadScored)
    assert event.score.score == 0


def test_nothing_is_said_where_the_score_stays(desk: Desk, heard: Heard, now: datetime) -> None:
    score_lead(heard(LEAD), desk, now=now)

    assert score_lead(heard(LEAD, version=2), desk, now=now) == []


def test_a_qualified_lead_whose_score_rises_is_only_scored(
    desk: Desk, heard: Heard, a_touchpoint: A_Touchpoint, now: datetime
) -> None:
    score_lead(heard(LEAD), desk, now=now)
    (event,) = score_lead(heard(LEAD, None, a_touchpoint("page_view")), desk, now=now)

    assert isinstance(event, LeadScored)
    assert event.score.score == 70


def test_a_qualified_lead_whose_score_falls_stays_qualified(
    desk: Desk, heard: Heard, now: datetime
) -> None:
    score_lead(heard(LEAD), desk, now=now)
    poorer = Person(email="ada@acme.example")
    (event,) = score_lead(heard(LEAD, poorer, version=2, quiet=True), desk, now=now)

    assert isinstance(event, LeadScored)
    assert desk.leads[LEAD].qualification is Qualification.QUALIFIED


def test_an_older_card_changes_nothing_but_its_touchpoint_counts(
    desk: Desk, heard: Heard, a_touchpoint: A_Touchpoint, now: datetime
) -> None:
    score_lead(heard(LEAD, version=3), desk, now=now)
    older = heard(LEAD, Person(company="Old"), a_touchpoint("page_view"), version=2)
    (event,) = score_lead(older, desk, now=now)

    assert event.lead_version == 3
    assert desk.leads[LEAD].person == ADA
    assert desk.leads[LEAD].rating is not None
    assert desk.leads[LEAD].rating.score == 70


def test_touchpoints_before_the_card_are_kept_and_count_when_it_comes(
    desk: Desk, heard: Heard, a_touchpoint: A_Touchpoint, now: datetime
) -> None:
    early = score_lead(heard(LEAD, None, a_touchpoint("page_view")), desk, now=now)
    (event,) = score_lead(heard(LEAD), desk, now=now)

    assert early == []
    assert isinstance(event, LeadQualified)
    assert event.score.score == 70


def test_withdrawn_consent_blocks_qualifying_and_the_reason_is_kept(
    desk: Desk, heard: Heard, refusing: Person, now: datetime
) -> None:
    (event,) = score_lead(heard(LEAD, refusing), desk, now=now)

    assert isinstance(event, LeadScored)
    assert desk.leads[LEAD].qualification is Qualification.OPEN
    assert desk.leads[LEAD].reason is Block.CONSENT_WITHDRAWN


def test_nobody_who_cannot_be_reached_qualifies(desk: Desk, heard: Heard, now: datetime) -> None:
    (event,) = score_lead(heard(LEAD, Person(company="Acme")), desk, now=now)

    assert isinstance(event, LeadScored)
    assert desk.leads[LEAD].reason is Block.UNREACHABLE


def test_a_qualified_lead_that_withdraws_consent_is_disqualified_once(
    desk: Desk, heard: Heard, refusing: Person, now: datetime
) -> None:
    score_lead(heard(LEAD), desk, now=now)
    (event,) = score_lead(heard(LEAD, refusing, version=2, quiet=True), desk, now=now)
    again = score_lead(heard(LEAD, refusing, version=3, quiet=True), desk, now=now)

    assert isinstance(event, LeadDisqualified)
    assert (event.reason, event.disqualified_at) == ("consent_withdrawn", now)
    assert again == []


def test_a_disqualified_lead_qualifies_again_when_the_cause_ends(
    desk: Desk, heard: Heard, refusing: Person, now: datetime
) -> None:
    score_lead(heard(LEAD), desk, now=now)
    score_lead(heard(LEAD, refusing, version=2, quiet=True), desk, now=now)
    (event,) = score_lead(heard(LEAD, ADA, version=3, quiet=True), desk, now=now)

    assert isinstance(event, LeadQualified)
    assert desk.leads[LEAD].reason is None


def test_a_disqualified_lead_whose_score_fell_meanwhile_stays_out(
    desk: Desk, heard: Heard, refusing: Person, now: datetime
) -> None:
    score_lead(heard(LEAD), desk, now=now)
    score_lead(heard(LEAD, refusing, version=2, quiet=True), desk, now=now)
    poorer = Person(email="ada@acme.example")
    (event,) = score_lead(heard(LEAD, poorer, version=3, quiet=True), desk, now=now)

    assert isinstance(event, LeadScored)
    assert desk.leads[LEAD].qualification is Qualification.DISQUALIFIED


def test_a_score_that_changes_as_the_lead_is_disqualified_is_said_before_it(
    desk: Desk, heard: Heard, now: datetime
) -> None:
    score_lead(heard(LEAD), desk, now=now)
    events = score_lead(heard(LEAD, Person(), version=2, quiet=True), desk, now=now)

    assert [type(event) for event in events] == [LeadScored, LeadDisqualified]


def test_a_lead_that_leaves_the_desk_leaves_nothing_to_save(
    desk: Desk, heard: Heard, now: datetime
) -> None:
    other = new_id()
    score_lead(heard(LEAD), desk, now=now)
    score_lead(heard(other), desk, now=now)
    desk.leave(LEAD)

    assert [lead.id for lead in desk.to_save()] == [other]
    assert [lead_id for lead_id, _ in desk.to_keep()] == [other]


def test_what_was_only_observed_is_interest_if_it_earns_points(
    desk: Desk, heard: Heard, a_touchpoint: A_Touchpoint, now: datetime
) -> None:
    later = now + timedelta(hours=1)
    for kind in ("email_open", "import"):
        touchpoint = a_touchpoint(kind, later, submitted=False)
        score_lead(heard(LEAD, ADA, touchpoint), desk, now=now)

    assert desk.leads[LEAD].engaged_at is None
    score_lead(heard(LEAD, None, a_touchpoint("page_view", later)), desk, now=now)
    assert desk.leads[LEAD].engaged_at == later
