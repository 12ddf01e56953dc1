"""What on a lead card forbids a handoff, and what fit rules can ask for."""

from datetime import UTC, datetime, timedelta

import pytest

from lead_scoring.domain.person import Block, Consent, Person

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


@pytest.mark.parametrize("purpose", ["contact", "marketing", "email", "Email ", "email_marketing"])
def test_a_withdrawn_consent_blocks(purpose: str) -> None:
    said = (Consent(purpose, granted=True, occurred_at=NOON), Consent(purpose, False, LATER))

    assert Person(email="a@b.example", consents=said).block() is Block.CONSENT_WITHDRAWN


def test_the_latest_consent_of_a_purpose_holds_in_whatever_order_it_stands() -> None:
    said = (Consent("email", True, LATER), Consent("email", False, NOON))

    assert Person(email="a@b.example", consents=said).block() is None


def test_consent_for_another_purpose_makes_up_for_nothing() -> None:
    said = (Consent("email", False, NOON), Consent("contact", True, LATER))

    assert Person(email="a@b.example", consents=said).block() is Block.CONSENT_WITHDRAWN


def test_of_two_at_the_same_time_the_withdrawal_holds() -> None:
    said = (Consent("email", False, NOON), Consent("email", True, NOON))

    assert Person(email="a@b.example", consents=said).block() is Block.CONSENT_WITHDRAWN


@pytest.mark.parametrize("purpose", ["newsletter", "research", "emails2"])
def test_consent_for_what_is_not_sales_is_no_matter(purpose: str) -> None:
    said = (Consent(purpose, False, NOON),)

    assert Person(email="a@b.example", consents=said).block() is None


def test_a_person_without_email_and_phone_is_unreachable() -> None:
    assert Person(company="Acme").block() is Block.UNREACHABLE
    assert Person(phone="+4930123456").block() is None


def test_facts_are_in_lower_case_and_know_the_domain_of_the_address() -> None:
    facts = Person(email="Ada@ACME.example", job_title=" CTO ", company="").facts()

    assert facts == {
        "email": "ada@acme.example",
        "email_domain": "acme.example",
        "job_title": "cto",
    }
