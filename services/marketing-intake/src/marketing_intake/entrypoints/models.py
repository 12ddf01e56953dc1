"""What our own API takes in: the canonical lead, sources, consents and touchpoints.

Lengths are checked by pydantic's core alone, because leads are the hot path; characters that the
database refuses are looked for only in bodies that can hold them (`stored_text`).
"""

import re
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from annotated_types import MaxLen
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
)

from marketing_intake.domain.mapping import is_purpose, is_target
from marketing_intake.domain.source import DEFAULT_HONEYPOT, Channel, SourceKind
from marketing_intake.domain.values import email_of
from shared.web.body import Body
from shared.web.faults import unfit
from shared.web.values import CountryCode, Entries, Instant, Items, Name, Text

_PHONE = re.compile(r"[+0-9 ()./\-]*(?:(?:x|ext\.?|#) ?[0-9]{1,8})?", re.IGNORECASE)
_FEWEST_DIGITS = 4


def _is_email(text: str) -> str:
    if text and email_of(text) is None:
        raise unfit("email", "must be one e-mail address, such as anna@example.com")
    return text


def _is_phone(text: str) -> str:
    digits = sum(letter.isdigit() for letter in text)
    if text and (digits < _FEWEST_DIGITS or not _PHONE.fullmatch(text.strip())):
        raise unfit("phone", "must be a phone number, such as +49 30 1234567")
    return text


def _is_purpose(text: str) -> str:
    if not is_purpose(text):
        raise unfit("purpose", "must be a name of small letters, such as email_marketing")
    return text


def _is_target(text: str) -> str:
    if not is_target(text):
        raise unfit(
            "target",
            "must be a canonical field, such as email, last_name, utm.source, consent.newsletter, "
            "answer or ignore",
        )
    return text


def _is_page(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    plain = text.isascii() and text.isprintable() and "\\" not in text and " " not in text
    if not (plain and parts.scheme in {"http", "https"} and parts.hostname and not parts.username):
        raise unfit("page", "must be the address of a page, such as https://example.com/thanks")
    return text


def _is_key(key: SecretStr) -> SecretStr:
    if not key.get_secret_value().isprintable():
        raise unfit("google_key", "must be one line, without control characters")
    return key


Short = Annotated[str, StringConstraints(max_length=200)]
Long = Annotated[str, StringConstraints(max_length=2_000)]
Tracked = Annotated[str, StringConstraints(max_length=1_500)]
PlatformId = Annotated[
    str,
    Field(max_length=200, coerce_numbers_to_str=True),
    WithJsonSchema({"anyOf": [{"type": "string", "maxLength": 200}, {"type": "number"}]}),
]
Purpose = Annotated[
    str,
    StringConstraints(max_length=50),
    AfterValidator(_is_purpose),
    Field(examples=["newsletter"]),
]
Scalar = Long | bool | int | float
"""One answer; numbers are kept as they are written."""


class ConsentIn(BaseModel):
    """A consent that is given or withdrawn."""

    model_config = ConfigDict(frozen=True)

    purpose: Purpose
    granted: Annotated[bool, Field(strict=True)]
    text: Long | None = Field(default=None, description="the words that the person was shown")
    occurred_at: Instant | None = None


class AnswerIn(BaseModel):
    """A question and what was answered."""

    question: Short
    answer: Scalar | Annotated[list[Scalar], Items(100)] | None = None


Answers = (
    Annotated[dict[Short, Scalar | Annotated[list[Scalar], Items(100)] | None], Entries(200)]
    | Annotated[list[AnswerIn], Items(200)]
)


class LeadIn(BaseModel):
    """A lead, as our own API takes it. Unknown fields are kept with the submission, unread."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "email": "anna@example.com",
                    "first_name": "Anna",
                    "company": "ACME",
                    "message": "Please call me",
                    "utm": {"source": "newsletter"},
                    "consents": [{"purpose": "newsletter", "granted": True}],
                }
            ]
        },
    )

    source_id: UUID | None = Field(
        default=None, description="whose lead it is; not needed if the key is tied to a source"
    )
    source_event_id: PlatformId | None = Field(
        default=None, description="your own id of this submission: repeat it safely"
    )
    email: Annotated[str, StringConstraints(max_length=254), AfterValidator(_is_email)] | None = (
        Field(default=None, json_schema_extra={"format": "email"})
    )
    phone: Annotated[str, StringConstraints(max_length=40), AfterValidator(_is_phone)] | None = (
        Field(default=None, examples=["+49 30 1234567"])
    )
    first_name: Annotated[str, StringConstraints(max_length=100)] | None = None
    last_name: Annotated[str, StringConstraints(max_length=100)] | None = None
    full_name: Short | None = None
    company: Short | None = None
    job_title: Short | None = None
    country: CountryCode | None = None
    message: Annotated[str, StringConstraints(max_length=10_000)] | None = None
    campaign_id: PlatformId | None = None
    adset_id: PlatformId | None = None
    ad_id: PlatformId | None = None
    form_id: PlatformId | None = None
    page_url: Long | None = None
    referrer: Long | None = None
    utm: Annotated[dict[Short, Tracked | None], Entries(20)] | None = None
    click_ids: Annotated[dict[Short, Tracked | None], Entries(20)] | None = None
    answers: Answers | None = None
    consents: Annotated[list[ConsentIn], Items(20)] | None = None
    submitted_at: Instant | None = None
    is_test: bool = False


class DefaultConsentIn(Body):
    """The consent that everybody gives who comes by a source, or the words of its box."""

    purpose: Purpose
    granted: Annotated[bool, Field(strict=True)] = True
    text: Annotated[str, Text(2_000, lines=True)] | None = None


Target = Annotated[
    str, AfterValidator(_is_target), Field(examples=["email"], json_schema_extra={"maxLength": 60})
]
Mapping = Annotated[dict[Annotated[str, Text(200)], Target], Entries(300)]
PageAddress = Annotated[
    str,
    StringConstraints(max_length=2_000),
    AfterValidator(_is_page),
    Field(examples=["https://example.com/thanks"]),
]
Pages = Annotated[list[PageAddress], Items(20)]
DefaultConsents = Annotated[list[DefaultConsentIn], Items(20)]
GoogleKey = Annotated[SecretStr, MaxLen(200), AfterValidator(_is_key)]


class SourceIn(Body):
    """A new source."""

    name: Name
    kind: SourceKind
    channel: Channel
    mapping: Mapping = Field(
        default_factory=dict[str, str],
        description="the sender's field to the canonical one; what is customary needs no mapping",
        examples=[{"your-mail": "email", "budget": "answer", "news": "consent.newsletter"}],
    )
    success_urls: Pages = Field(
        default_factory=list[str],
        description="where a form may send its visitors afterwards; the first is the default",
    )
    honeypot: Annotated[str, Text(100)] = DEFAULT_HONEYPOT
    phone_region: CountryCode | None = None
    google_key: GoogleKey | None = Field(
        default=None, description="the key you entered at Google Ads; without one, one is made"
    )
    default_consents: DefaultConsents = Field(default_factory=list[DefaultConsentIn])


class SourcePatch(Body):
    """What is to be changed of a source; what is left out stays."""

    name: Name | None = None
    channel: Channel | None = None
    mapping: Mapping | None = None
    success_urls: Pages | None = None
    honeypot: Annotated[str, Text(100)] | None = None
    phone_region: CountryCode | None = None
    google_key: GoogleKey | None = None
    default_consents: DefaultConsents | None = None


class ConsentChange(Body):
    """A consent that a known person gave or withdrew."""

    purpose: Purpose
    granted: Annotated[bool, Field(strict=True)]
    text: Annotated[str, Text(2_000, lines=True)] | None = None
    occurred_at: Instant | None = None


class Merge(Body):
    """The lead that another one is to become."""

    into: UUID = Field(description="the id of the lead that stays, or of an alias of it")


class TouchpointIn(Body):
    """Something that a known lead did: a visit, a click, an open."""

    lead_id: UUID
    source_id: UUID | None = None
    kind: Annotated[
        str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,49}$"), Field(examples=["page_view"])
    ]
    occurred_at: Instant | None = None
    campaign_id: Annotated[str, Text(200)] | None = None
    page_url: Annotated[str, Text(2_000)] | None = None
    referrer: Annotated[str, Text(2_000)] | None = None
    utm: Annotated[dict[Annotated[str, Text(50)], Annotated[str, Text(1_500)]], Entries(20)] = (
        Field(default_factory=dict[str, str])
    )
    click_ids: Annotated[
        dict[Annotated[str, Text(50)], Annotated[str, Text(1_500)]], Entries(20)
    ] = Field(default_factory=dict[str, str])
