"""The scorecard that a new installation begins with."""

import json
from importlib import resources

import pytest

from lead_scoring.adapters import rulebooks
from lead_scoring.domain.person import Person
from lead_scoring.domain.rating import Rating, Touchpoint, earn, rate
from lead_scoring.domain.scorecard import Rulebook
from lead_scoring.usecases.wire import touchpoint_of
from shared.clock import utc_now
from shared.contracts import lead
from shared.ids import new_id

FILE = "migrations/versions/0001_first_scorecard.json"


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return rulebooks.from_json(
        json.loads(resources.files("lead_scoring").joinpath(FILE).read_text())
    )


def came(**parts: object) -> Touchpoint:
    fields = {
        "touchpoint_id": new_id(),
        "kind": "form",
        "channel": "direct",
        "source_id": new_id(),
        "source_name": "site",
        "occurred_at": utc_now(),
        "received_at": utc_now(),
    }
    return touchpoint_of(lead.Touchpoint.model_validate(fields | parts), event_id=new_id())


def rated(book: Rulebook, person: Person, *touchpoints: Touchpoint) -> Rating:
    earned = ()
    for nth, touchpoint in enumerate(touchpoints):
        earned = earn(book, earned=earned, touchpoint=touchpoint, before=nth)
    return rate(book, person=person, earned=earned, previous=(), event_id=new_id())


def test_it_fits_together_and_is_stored_as_it_is_read(book: Rulebook) -> None:
    book.check()

    assert rulebooks.from_json(rulebooks.to_json(book)) == book


@pytest.mark.parametrize("kind", ["form", "api", "ad_form"])
def test_a_plausible_demo_request_qualifies(book: Rulebook, kind: str) -> None:
    person = Person(
        email="ada@acme.example", phone="+4930123456", company="Acme", job_title="Head of Marketing"
    )
    rating = rated(book, person, came(kind=kind, message="May we see a demo?"))

    assert rating.score >= book.threshold
    assert rating.grade.startswith("A")


@pytest.mark.parametrize("email", ["ada@acme.example", "ada@gmail.com"])
def test_a_bare_address_for_the_newsletter_does_not(book: Rulebook, email: str) -> None:
    rating = rated(book, Person(email=email), came(form_id="newsletter", channel="content"))

    assert rating.score < book.threshold


def test_interest_alone_can_bring_a_good_lead_over(book: Rulebook) -> None:
    person = Person(email="ada@acme.example", company="Acme")
    visits = [came(kind="page_view", page_url="https://x.example/pricing") for _ in range(2)]

    assert rated(book, person, came()).score < book.threshold
    assert rated(book, person, came(), *visits).score >= book.threshold


def test_a_student_does_not_qualify_by_a_demo_request(book: Rulebook) -> None:
    person = Person(email="ada@gmail.com", phone="+4930123456", job_title="Student")
    rating = rated(book, person, came(message="demo please", form_id="demo"))

    assert rating.score < book.threshold
