"""Makes plausible leads, the same ones for the same seed: some come back, some only read news.

All addresses end with example.com and all numbers are of the range kept for stories, so that
nobody real is ever written to.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_FIRST = """
    Ada Alan Amara Anna Boris Carla Chen Dmitri Elena Emeka Fatima Grace Hedy Ines Ivan Jamal
    Joan Karl Kenji Lars Leila Linus Maria Mei Nadia Niels Olga Omar Priya Rosa Sven Tariq
    Ursula Wei Yara Zoe
""".split()  # noqa: SIM905  a block of names reads better than a column of strings
_LAST = """
    Abara Bauer Chandra Dubois Eriksen Fischer Garcia Haddad Ito Jansen Kowalski Lovelace
    Moreau Nakamura Okafor Petrov Quinn Rossi Silva Tanaka Unger Varga Weber Xu Yilmaz Zhang
""".split()  # noqa: SIM905  a block of names reads better than a column of strings
_COMPANIES = (
    "Northwind Foundry", "Blue Harbor Logistics", "Acorn Dental", "Meridian Optics",
    "Juniper & Sons", "Redwood Robotics", "Halcyon Hotels", "Copper Kettle", "Tidewater Energy",
    "Lumen Analytics", "Oak Street Bakery", "Falcon Freight", "Silver Birch Schools",
)  # fmt: skip
_TITLES = (
    "CEO", "Head of Marketing", "Sales Director", "VP Operations", "Marketing Manager",
    "Team Lead Support", "Senior Engineer", "Buyer", "Analyst", "Student", "Intern", None, None,
)  # fmt: skip
_COUNTRIES = ("DE", "FR", "GB", "IN", "JP", "NG", "PL", "US")
_CHANNELS = ("advertising", "content", "social", "email", "seo", "referral", "direct")
_MESSAGES = (
    "Please call me about prices for 20 people.",
    "Can you show us a demo next week?",
    "We have to decide this quarter: what does it cost?",
)
_COMES_BACK, _READS_NEWS, _WANTS_DEMO = 0.15, 0.25, 0.3
_FICTIONAL_NUMBERS = 100


@dataclass(frozen=True, slots=True)
class DemoLead:
    """One lead to post: the canonical body, and the kind of marketing that it came by."""

    channel: str
    body: dict[str, Any]


def plausible_leads(count: int, *, seed: int) -> Iterator[DemoLead]:
    """Give `count` leads; who comes back has the e-mail address of somebody before."""
    chance = random.Random(seed)  # noqa: S311  for show, not for secrets
    known: list[dict[str, Any]] = []
    for number in range(count):
        if known and chance.random() < _COMES_BACK:
            yield _again(chance, chance.choice(known))
            continue
        person = _person(chance, number)
        known.append(person)
        yield _lead(chance, person)


def _person(chance: random.Random, number: int) -> dict[str, Any]:
    first, last, company = chance.choice(_FIRST), chance.choice(_LAST), chance.choice(_COMPANIES)
    host = "".join(letter for letter in company.lower() if letter.isalnum())
    return {
        "email": f"{first}.{last}.{number}@{host}.example.com".lower(),
        "first_name": first,
        "last_name": last,
        "company": company,
        "job_title": chance.choice(_TITLES),
        "country": chance.choice(_COUNTRIES),
        "phone": f"+1{chance.randrange(201, 990)}55501{chance.randrange(_FICTIONAL_NUMBERS):02d}",
    }


def _lead(chance: random.Random, person: dict[str, Any]) -> DemoLead:
    """Return the first time that a person is heard of."""
    kind = chance.random()
    if kind < _READS_NEWS:
        known = {name: person[name] for name in ("email", "first_name")}
        consents = [{"purpose": "newsletter", "granted": True}]
        return DemoLead("email", {**known, "form_id": "newsletter", "consents": consents})
    if kind < _READS_NEWS + _WANTS_DEMO:
        return _asking(chance, person)
    hidden = {name for name in ("phone", "company", "country") if chance.random() < 1 / 3}
    shown = {name: value for name, value in person.items() if value and name not in hidden}
    return DemoLead(chance.choice(_CHANNELS), {**shown, "form_id": "download"})


def _asking(chance: random.Random, person: dict[str, Any]) -> DemoLead:
    asked = {
        "form_id": "demo-request",
        "page_url": "https://www.example.com/pricing",
        "message": chance.choice(_MESSAGES),
    }
    shown = {name: value for name, value in person.items() if value}
    return DemoLead(chance.choice(_CHANNELS), {**shown, **asked})


def _again(chance: random.Random, person: dict[str, Any]) -> DemoLead:
    """Return another visit of somebody known: half of them ask for more now."""
    if chance.random() < 1 / 2:
        return _asking(chance, person)
    return DemoLead(chance.choice(_CHANNELS), {"email": person["email"], "form_id": "webinar"})
