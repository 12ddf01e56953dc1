"""The types of which every input is made: what they accept, Postgres stores and gives back.

NUL, lone surrogates, numbers beyond 64 bits, times beyond the calendar and endless text are
refused here, with a sentence, so that none becomes a failure behind the answer.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, cast

import annotated_types
import email_validator
import phonenumbers
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    StringConstraints,
)
from pydantic_core import PydanticCustomError, PydanticKnownError

from shared.web.codes import COUNTRIES, CURRENCIES
from shared.web.faults import unfit
from shared.web.json_value import JsonLimits

_MAX_EMAIL = 254
_MAX_PHONE = 60
_MAX_BIGINT = 2**63 - 1
_FIRST_YEAR, _LAST_YEAR = 1970, 9998
_WITH_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}")
_SPACES = "\t\n\r"


@dataclass(frozen=True, slots=True)
class Text(annotated_types.GroupedMetadata):
    """Text that can be stored: `Annotated[str, Text(200)]`. Spaces around it are taken off.

    One line unless `lines`; never empty unless `min_length` is 0.
    """

    max_length: int
    min_length: int = 1
    lines: bool = False

    def __iter__(self) -> Iterator[object]:
        """Give pydantic the parts of which this is made."""
        yield StringConstraints(
            strip_whitespace=True, min_length=self.min_length, max_length=self.max_length
        )
        yield AfterValidator(_lines if self.lines else _one_line)


@dataclass(frozen=True, slots=True)
class Items(annotated_types.GroupedMetadata):
    """How many items a list may have: `Annotated[list[str], Items(20)]`.

    After one that is wrong none is looked at: 500,000 of them would take 400 MB to be listed.
    """

    max_length: int
    min_length: int = 0

    def __iter__(self) -> Iterator[object]:
        """Give pydantic the parts of which this is made."""
        yield FailFast()
        yield annotated_types.Len(self.min_length, self.max_length)


@dataclass(frozen=True, slots=True)
class Entries(annotated_types.GroupedMetadata):
    """How many entries an object may have: `Annotated[dict[str, str], Entries(20)]`.

    They are counted before one is looked at, for the same reason.
    """

    max_length: int

    def __iter__(self) -> Iterator[object]:
        """Give pydantic the parts of which this is made."""
        yield annotated_types.MaxLen(self.max_length)
        yield BeforeValidator(self._count)

    def _count(self, value: object) -> object:
        found = value
        if isinstance(found, dict) and len(cast("dict[str, object]", found)) > self.max_length:
            raise PydanticKnownError(
                "too_long",
                {"field_type": "Dictionary", "max_length": self.max_length, "actual_length": None},
            )
        return value


def _one_line(value: str) -> str:
    if any(space in value for space in _SPACES):
        raise unfit("one_line", "must be one line, without tabs")
    return _lines(value)


def _lines(value: str) -> str:
    for letter in value:
        category = unicodedata.category(letter)
        if category == "Cs" or (category == "Cc" and letter not in _SPACES):
            raise unfit("control_character", "must not hold control characters or half characters")
    return value


def _email(value: str) -> str:
    try:
        found = email_validator.validate_email(value, check_deliverability=False)
    except email_validator.EmailNotValidError:
        raise unfit("email", "must be one e-mail address, such as anna@example.com") from None
    return _short_email(found.normalized.lower())


def _short_email(value: str) -> str:
    if len(value) > _MAX_EMAIL:
        raise unfit("email_length", "must have at most 254 characters")
    return value


@dataclass(frozen=True, slots=True)
class PhoneNumber(annotated_types.GroupedMetadata):
    """A phone number, kept as E.164. `region` reads numbers without a country's code."""

    region: str | None = None

    def __iter__(self) -> Iterator[object]:
        """Give pydantic the parts of which this is made."""
        yield StringConstraints(strip_whitespace=True, max_length=_MAX_PHONE)
        yield AfterValidator(self._e164)

    def _e164(self, value: str) -> str:
        try:
            number = phonenumbers.parse(value, self.region)
        except phonenumbers.NumberParseException:
            raise _no_phone() from None
        if not phonenumbers.is_possible_number(number):
            raise _no_phone()
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _no_phone() -> PydanticCustomError:
    return unfit("phone", "must be a phone number with its country's code, such as +49 30 1234567")


def _country(value: str) -> str:
    code = _capitals(value)
    if code not in COUNTRIES:
        raise unfit("country", "must be an ISO 3166-1 code of two letters, such as DE")
    return code


def _currency(value: str) -> str:
    code = _capitals(value)
    if code not in CURRENCIES:
        raise unfit("currency", "must be an ISO 4217 code of three letters, such as EUR")
    return code


def _capitals(value: str) -> str:
    """Return a code in capitals; of other letters some have two: `ß` would be South Sudan."""
    return value.upper() if value.isascii() else value


def _is_written_out(value: Any) -> Any:  # noqa: ANN401  whatever was sent
    if isinstance(value, datetime) or (isinstance(value, str) and _WITH_TIME.match(value)):
        return value
    raise unfit("instant", "must be a time with its zone, such as 2026-11-23T09:30:00Z")


def _in_the_calendar(value: datetime) -> datetime:
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise unfit("instant_year", "must lie between the years 1970 and 9998")
    moment = value.astimezone(UTC)
    if moment.year < _FIRST_YEAR:
        raise unfit("instant_year", "must lie between the years 1970 and 9998")
    return moment


Name = Annotated[str, Text(200)]
"""A name of a person, a company or a thing: one line, at most 200 characters."""

LongText = Annotated[str, Text(10_000, lines=True)]
"""What somebody wrote: lines, at most 10,000 characters."""

Email = Annotated[
    str, Text(_MAX_EMAIL), AfterValidator(_email), Field(json_schema_extra={"format": "email"})
]
"""One e-mail address in lower case, without asking the network; equal text is the same person."""

Phone = Annotated[str, PhoneNumber(), Field(examples=["+49301234567"])]
"""A phone number with its country's code, as E.164: `+49301234567`."""

CountryCode = Annotated[
    str,
    StringConstraints(strip_whitespace=True),
    AfterValidator(_country),
    Field(examples=["DE"], json_schema_extra={"minLength": 2, "maxLength": 2}),
]
"""ISO 3166-1 alpha-2, in capitals."""

CurrencyCode = Annotated[
    str,
    StringConstraints(strip_whitespace=True),
    AfterValidator(_currency),
    Field(examples=["EUR"], json_schema_extra={"minLength": 3, "maxLength": 3}),
]
"""ISO 4217, in capitals."""

Instant = Annotated[
    AwareDatetime, BeforeValidator(_is_written_out), AfterValidator(_in_the_calendar)
]
"""A moment of the years 1970 to 9998, in UTC."""

BigInt = Annotated[int, Field(strict=True, ge=-_MAX_BIGINT - 1, le=_MAX_BIGINT)]
"""A whole number that fits Postgres' `bigint`; not a number in quotes, not 1.0."""

Count = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]
"""How many: a whole number that fits Postgres' `integer`."""


JsonObject = Annotated[dict[str, Any], AfterValidator(JsonLimits().check)]
"""A free JSON object of at most 32 kB, 8 levels and 1,000 names and values."""


class Money(BaseModel):
    """An amount: whole minor units (cents) with its currency."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount_minor: BigInt = Field(description="whole minor units: 1999 is 19.99 EUR")
    currency: CurrencyCode = Field(description="ISO 4217", examples=["EUR"])
