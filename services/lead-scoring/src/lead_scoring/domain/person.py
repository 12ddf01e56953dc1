"""What scoring keeps of a person: the lead card, and what on it speaks for or against a sale.

The latest consent of each purpose holds. Withdrawn consent, or no way to reach the person, forbids
handing the lead over.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

SALES_WORDS = frozenset({"contact", "marketing", "email"})
"""A purpose of consent with one of these words in its name (`email_marketing`) is needed by sales.

Who refuses any of them is not handed over. A box that is about news only has a purpose of another
name, such as `newsletter`.
"""
_WORD = re.compile(r"[a-z0-9]+")


class Block(StrEnum):
    """Why a lead must not be handed over."""

    CONSENT_WITHDRAWN = "consent_withdrawn"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person allowed or withdrew for one purpose."""

    purpose: str
    granted: bool
    occurred_at: datetime
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A lead card: who it is, how to reach them, what they allow."""

    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    job_title: str | None = None
    country: str | None = None
    consents: tuple[Consent, ...] = ()

    def block(self) -> Block | None:
        """Return what forbids handing the lead over, if anything does."""
        if _withdrawn(self.consents):
            return Block.CONSENT_WITHDRAWN
        return None if self.email or self.phone else Block.UNREACHABLE

    def facts(self) -> dict[str, str]:
        """Return what fit rules can ask for, in lower case."""
        email = self.email or ""
        texts = {
            "email": email,
            "email_domain": email.rpartition("@")[2],
            "phone": self.phone,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "company": self.company,
            "job_title": self.job_title,
            "country": self.country,
        }
        return {name: text.strip().casefold() for name, text in texts.items() if text}


def _withdrawn(consents: Iterable[Consent]) -> bool:
    latest: dict[str, tuple[datetime, bool]] = {}
    for consent in consents:
        purpose = consent.purpose.strip().casefold()
        said = (consent.occurred_at, not consent.granted)
        latest[purpose] = max(latest.get(purpose, said), said)
    return any(refused for purpose, (_, refused) in latest.items() if _concerns_sales(purpose))


def _concerns_sales(purpose: str) -> bool:
    return not SALES_WORDS.isdisjoint(_WORD.findall(purpose))
