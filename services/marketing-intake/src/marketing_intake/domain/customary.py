"""The names that senders customarily give their fields, per kind of source.

A source's own mapping goes first; these hold where it says nothing. Earlier lines win over later.
"""

from collections.abc import Mapping

from marketing_intake.domain.canonical import TEXT_LIMITS
from marketing_intake.domain.source import SourceKind

_API: Mapping[str, str] = {name: name for name in TEXT_LIMITS} | {"consents": "ignore"}

_FORM_NAMES: Mapping[str, tuple[str, ...]] = {
    "email": ("email", "e_mail", "work_email", "your_email", "email_address", "mail"),
    "phone": ("phone", "tel", "phone_number", "mobile", "whatsapp", "telephone", "your_phone"),
    "first_name": ("first_name", "firstname", "fname", "given_name"),
    "last_name": ("last_name", "lastname", "surname", "lname", "family_name"),
    "full_name": ("name", "full_name", "your_name", "fullname"),
    "company": ("company", "organization", "organisation", "company_name", "your_company"),
    "job_title": ("job_title", "jobtitle", "title", "position"),
    "country": ("country", "country_code"),
    "message": ("message", "comments", "your_message", "comment", "description"),
    "page_url": ("page_url", "source_url", "pageuri", "page"),
    "referrer": ("referrer", "referer"),
    "campaign_id": ("campaign_id",),
    "form_id": ("form_id", "form_name"),
    "ignore": ("submit", "g_recaptcha_response", "h_captcha_response", "consents"),
}

_GOOGLE: Mapping[str, str] = {
    "email": "email",
    "work_email": "email",
    "phone_number": "phone",
    "work_phone": "phone",
    "first_name": "first_name",
    "last_name": "last_name",
    "full_name": "full_name",
    "company_name": "company",
    "job_title": "job_title",
    "country": "country",
    "campaign_id": "campaign_id",
    "adgroup_id": "adset_id",
    "creative_id": "ad_id",
    "form_id": "form_id",
    "gcl_id": "click_ids.gclid",
    "lead_submit_time": "submitted_at",
    "lead_id": "ignore",
    "api_version": "ignore",
    "is_test": "ignore",
}

_CUSTOMARY: Mapping[SourceKind, Mapping[str, str]] = {
    "api": _API,
    "form": {name: target for target, names in _FORM_NAMES.items() for name in names},
    "google_ads": _GOOGLE,
}
_AFTER_THE_OWN = 1_000


def _ranked(table: Mapping[str, str]) -> Mapping[str, tuple[int, str]]:
    return {name: (_AFTER_THE_OWN + n, target) for n, (name, target) in enumerate(table.items())}


RANKED = {kind: _ranked(table) for kind, table in _CUSTOMARY.items()}
"""From a name (lower case, underscores) to its rank and the canonical field."""

ANSWERED: frozenset[SourceKind] = frozenset({"form", "google_ads"})
"""The kinds whose unknown fields are what a person answered; an API's are only kept raw."""
