"""The canonical lead: what a submission says about a person, whoever sent it.

Every sender's fields are mapped to this (`mapping`), and everything after it knows only this.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

CARD_FIELDS = (
    "email",
    "phone",
    "first_name",
    "last_name",
    "company",
    "job_title",
    "country",
)
"""The fields that a lead keeps; all others belong to the touchpoint."""

TEXT_LIMITS: Mapping[str, int] = {
    "email": 254,
    "phone": 40,
    "first_name": 100,
    "last_name": 100,
    "full_name": 200,
    "company": 200,
    "job_title": 200,
    "country": 100,
    "message": 10_000,
    "campaign_id": 200,
    "adset_id": 200,
    "ad_id": 200,
    "form_id": 200,
    "page_url": 2_000,
    "referrer": 2_000,
    "submitted_at": 40,
}
"""The longest text of each canonical field, in characters; more is cut off."""

UTM = ("source", "medium", "campaign", "term", "content")
CLICK_IDS = frozenset(
    {
        "gclid",
        "gbraid",
        "wbraid",
        "gad_source",
        "gclsrc",
        "dclid",
        "fbclid",
        "msclkid",
        "li_fat_id",
        "ttclid",
        "twclid",
        "rdt_cid",
        "epik",
        "sccid",
        "irclickid",
        "yclid",
    }
)


@dataclass(frozen=True, slots=True)
class ConsentSaid:
    """A consent that a submission gives or withdraws; without a time, it is the submission's."""

    purpose: str
    granted: bool
    text: str | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CanonicalLead:
    """What one submission says; the e-mail is in its normal form, the phone in E.164."""

    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    job_title: str | None = None
    country: str | None = None
    message: str | None = None
    campaign_id: str | None = None
    form_id: str | None = None
    page_url: str | None = None
    referrer: str | None = None
    submitted_at: datetime | None = None
    utm: Mapping[str, str] = field(default_factory=dict[str, str])
    click_ids: Mapping[str, str] = field(default_factory=dict[str, str])
    answers: Mapping[str, str] = field(default_factory=dict[str, str])
    consents: tuple[ConsentSaid, ...] = ()

    @property
    def reachable(self) -> bool:
        """Whether there is any way to reach the person."""
        return self.email is not None or self.phone is not None

    def card_fields(self) -> dict[str, str]:
        """Return the fields for the lead that were said; an empty one says nothing."""
        said = {name: getattr(self, name) for name in CARD_FIELDS}
        return {name: value for name, value in said.items() if value}
