"""What is heard becomes what the rules see."""

from datetime import UTC, datetime, timedelta

from lead_scoring.usecases.wire import card_of, person_of, touchpoint_of
from shared.contracts.lead import Consent, LeadCard, Touchpoint
from shared.ids import new_id

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def said(**parts: object) -> Touchpoint:
    return Touchpoint.model_validate(
        {
            "touchpoint_id": new_id(),
            "kind": "form",
            "channel": "seo",
            "source_id": new_id(),
            "source_name": "Site",
            "occurred_at": NOON,
            "received_at": NOON,
            **parts,
        }
    )


def test_nothing_occurs_after_it_was_received() -> None:
    future = said(occurred_at=NOON + timedelta(days=900))

    assert touchpoint_of(future, event_id=new_id()).occurred_at == NOON


def test_facts_are_in_lower_case_with_the_senders_own_fields_by_name() -> None:
    facts = touchpoint_of(
        said(utm={"Source": " LinkedIn "}, answers={"Company Size": "50+", "Empty": " "}),
        event_id=new_id(),
    ).facts

    assert (facts["kind"], facts["source_name"], facts["utm.source"]) == (
        "form",
        "site",
        "linkedin",
    )
    assert facts["answers.company size"] == "50+"
    assert "answers.empty" not in facts


def test_a_form_is_submitted_and_an_import_or_a_visit_is_not() -> None:
    assert touchpoint_of(said(), event_id=new_id()).submitted
    assert not touchpoint_of(said(kind="import"), event_id=new_id()).submitted
    assert not touchpoint_of(said(), event_id=new_id(), observed=True).submitted


def test_a_card_comes_back_as_it_went_in() -> None:
    consent = Consent(purpose="email", granted=True, occurred_at=NOON, text="yes")
    card = LeadCard(
        email="a@b.example",
        phone="+4930123456",
        first_name="Ada",
        last_name="L",
        company="Acme",
        job_title="CTO",
        country="DE",
        consents=(consent,),
    )

    assert card_of(person_of(card)) == card
