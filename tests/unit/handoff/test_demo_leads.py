"""The leads of the demonstration: made up, or read from rows."""

from collections import Counter
from pathlib import Path

import pytest

from handoff.demo.people import plausible_leads
from handoff.demo.rows import WrongFile, lead_of, read_leads

ROW = {
    "Prospect ID": "7927B2DF-8bba-4d29-b9a2-b6e0beafe620", "Lead Origin": "Landing Page Submission",
    "Lead Source": "Google", "Do Not Email": "Yes", "Do Not Call": "No", "Country": "India",
    "What is your current occupation": "Student", "City": "Select", "Specialization": "E-COMMERCE",
    "TotalVisits": "5", "Tags": "Will revert after reading the email", "Converted": "1",
}  # fmt: skip


def test_the_same_seed_gives_the_same_leads_and_another_one_others() -> None:
    first, again, other = (list(plausible_leads(50, seed=seed)) for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_some_come_back_some_want_a_demo_and_some_only_read_news() -> None:
    leads = list(plausible_leads(500, seed=1))
    people = Counter(lead.body["email"] for lead in leads)
    forms = Counter(lead.body["form_id"] for lead in leads)

    assert len(leads) == 500
    assert 350 < len(people) < 480
    assert min(forms["newsletter"], forms["demo-request"], forms["download"]) > 50
    assert len({lead.channel for lead in leads}) == 7


def test_nobody_real_is_among_them() -> None:
    leads = list(plausible_leads(500, seed=3))

    assert all(lead.body["email"].endswith(".example.com") for lead in leads)
    assert all("55501" in lead.body["phone"] for lead in leads if "phone" in lead.body)


def test_a_row_becomes_a_lead_with_an_address_made_from_its_id() -> None:
    lead = lead_of(ROW)

    assert lead.channel == "advertising"
    assert lead.body == {
        "email": "7927b2df-8bba-4d29-b9a2-b6e0beafe620@example.com",
        "form_id": "landing-page",
        "utm": {"source": "Google"},
        "country": "IN",
        "job_title": "Student",
        "answers": {"Specialization": "E-COMMERCE", "TotalVisits": "5"},
        "consents": [{"purpose": "email_marketing", "granted": False}],
    }


def test_a_row_without_a_source_comes_by_content() -> None:
    lead = lead_of({**ROW, "Lead Source": "", "Country": "unknown"})

    assert lead.channel == "content"
    assert not {"utm", "country"} & lead.body.keys()


def test_another_file_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("Prospect ID,name\n1,Anna\n")

    with pytest.raises(WrongFile, match="Lead Origin, Lead Source"):
        read_leads(tmp_path / "other.csv")
