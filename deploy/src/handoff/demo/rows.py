"""Reads the rows of the public X Education data set as leads.

The rows carry no address: `<Prospect ID>@example.com` stands for it. Columns that were filled in
after the outcome was known are not read.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from handoff.demo.people import DemoLead

_CHANNELS = {
    "google": "advertising",
    "bing": "advertising",
    "pay per click ads": "advertising",
    "organic search": "seo",
    "direct traffic": "direct",
    "reference": "referral",
    "referral sites": "referral",
    "facebook": "social",
    "social media": "social",
    "youtubechannel": "social",
    "press_release": "pr",
    "nc_edm": "email",
}
_ELSEWHERE = "content"
_COUNTRIES = {
    "India": "IN", "United States": "US", "United Arab Emirates": "AE", "Singapore": "SG",
    "Saudi Arabia": "SA", "United Kingdom": "GB", "Australia": "AU", "Qatar": "QA",
    "Bahrain": "BH", "Hong Kong": "HK", "Oman": "OM", "France": "FR", "Kuwait": "KW",
    "Canada": "CA", "Nigeria": "NG", "Germany": "DE", "South Africa": "ZA", "Sweden": "SE",
}  # fmt: skip
_FORMS = {
    "Landing Page Submission": "landing-page",
    "API": "website-chat",
    "Lead Add Form": "contact-sales",  # entered for people who were referred or called
}
_ANSWERS = (
    "City", "Specialization", "How did you hear about X Education",
    "What matters most to you in choosing a course", "TotalVisits",
    "Total Time Spent on Website", "Page Views Per Visit",
)  # fmt: skip
_NOTHING = frozenset({"", "Select"})
_NEEDED = ("Prospect ID", "Lead Origin", "Lead Source")


class WrongFile(Exception):
    """The file is not that data set; the text says what is missing."""


def read_leads(path: Path) -> list[DemoLead]:
    """Return a lead for each row.

    Raises:
        OSError: the file cannot be read.
        WrongFile: it has other columns.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        missing = [name for name in _NEEDED if name not in (rows.fieldnames or ())]
        if missing:
            raise WrongFile(f"{path} has no column {', '.join(missing)}: is it X Education's?")
        return [lead_of(row) for row in rows]


def lead_of(row: Mapping[str, str]) -> DemoLead:
    """Return one row as a lead."""
    source = row["Lead Source"].strip()
    body: dict[str, Any] = {
        "email": f"{row['Prospect ID']}@example.com".lower(),
        "form_id": _FORMS.get(row["Lead Origin"], "other"),
        "utm": {"source": source} if source else None,
        "country": _COUNTRIES.get(row.get("Country", "")),
        "job_title": _known(row, "What is your current occupation"),
        "answers": {name: row[name] for name in _ANSWERS if _known(row, name)},
        "consents": list(_refusals(row)) or None,
    }
    channel = _CHANNELS.get(source.lower(), _ELSEWHERE)
    return DemoLead(channel, {name: value for name, value in body.items() if value})


def _refusals(row: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for column, purpose in (("Do Not Email", "email_marketing"), ("Do Not Call", "phone_contact")):
        if row.get(column) == "Yes":
            yield {"purpose": purpose, "granted": False}


def _known(row: Mapping[str, str], column: str) -> str | None:
    value = row.get(column, "").strip()
    return None if value in _NOTHING else value
