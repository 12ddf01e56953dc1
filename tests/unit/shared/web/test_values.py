"""What each value type takes, how it keeps it, and what it refuses."""

from datetime import UTC, datetime
from typing import Annotated

import pytest
from hypothesis import assume, example, given
from hypothesis.strategies import characters, text
from pydantic import TypeAdapter, ValidationError

from shared.web.codes import COUNTRIES, CURRENCIES
from shared.web.values import (
    BigInt,
    CountryCode,
    Email,
    Instant,
    JsonObject,
    LongText,
    Money,
    Name,
    Phone,
    PhoneNumber,
    Text,
)


def read(shape: object, value: object) -> object:
    return TypeAdapter(shape).validate_python(value)


def read_json(shape: object, text: str) -> object:
    return TypeAdapter(shape).validate_json(text)


@pytest.mark.parametrize(
    ("shape", "given", "kept"),
    [
        (Name, "  Anna  ", "Anna"),
        (Name, "Zoë 🦆", "Zoë 🦆"),
        (LongText, "one\r\ntwo\tthree", "one\r\ntwo\tthree"),
        (Email, " Anna.Smith@Example.COM ", "anna.smith@example.com"),
        (Email, "a@xn--mnchen-3ya.de", "a@münchen.de"),
        (Phone, "+49 (30) 123-4567", "+49301234567"),
        (Phone, "+1 555 0100 123", "+15550100123"),
        (CountryCode, "de", "DE"),
        (Instant, "2026-11-23T10:30:00+01:00", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
    ],
)
def test_a_value_is_kept_in_one_form(shape: object, given: str, kept: object) -> None:
    assert read(shape, given) == kept


@given(text(characters(exclude_categories=["Cs", "Cc"]), max_size=200))
@example("O'Brien & Söhne; DROP TABLE lead; -- {{7*7}} %s <b>\\")
def test_any_text_is_kept_letter_by_letter(sent: str) -> None:
    assume(sent.strip())

    assert read(Name, sent) == read(LongText, sent) == sent.strip()


@pytest.mark.parametrize(
    ("shape", "given", "kind"),
    [
        (Name, "An\0na", "handoff_control_character"),
        (Name, "An\x1bna", "handoff_control_character"),
        (Name, "Anna\nBcc: all@example.com", "handoff_one_line"),
        (Name, "   ", "string_too_short"),
        (Name, "a" * 201, "string_too_long"),
        (LongText, "half \ud83d", "string_unicode"),
        (Email, "a@b.com, c@d.com", "handoff_email"),
        (Email, "Anna <anna@example.com>", "handoff_email"),
        (Email, "anna@localhost", "handoff_email"),
        (Phone, "030 1234567", "handoff_phone"),
        (Phone, "12", "handoff_phone"),
        (CountryCode, "XX", "handoff_country"),
        (CountryCode, "ß", "handoff_country"),
        (CountryCode, "ﬁ", "handoff_country"),
        (Instant, "2026-11-23T10:30:00", "timezone_aware"),
        (Instant, "2026-11-23", "handoff_instant"),
        (Instant, 1_700_000_000, "handoff_instant"),
        (Instant, "1700000000", "handoff_instant"),
        (Instant, "9999-12-31T23:59:59-14:00", "handoff_instant_year"),
        (Instant, "0001-01-01T00:00:00+14:00", "handoff_instant_year"),
        (Instant, "1970-01-01T00:00:00+01:00", "handoff_instant_year"),
        (BigInt, 2**63, "less_than_equal"),
        (BigInt, -(2**63) - 1, "greater_than_equal"),
        (BigInt, "5", "int_type"),
        (BigInt, 5.0, "int_type"),
        (Money, {"amount_minor": 1, "currency": "BTC"}, "handoff_currency"),
        (JsonObject, {"a": float("nan")}, "handoff_json_number"),
        (JsonObject, {"a": [float("-inf")]}, "handoff_json_number"),
        (JsonObject, {"a": 2**63}, "handoff_json_number"),
        (JsonObject, {"a\0": 1}, "handoff_json_text"),
        (JsonObject, {"a": {"b": "\ud800"}}, "handoff_json_text"),
        (JsonObject, {"a": [[[[[[[[[]]]]]]]]]}, "handoff_json_shape"),
        (JsonObject, {"a": [0] * 1_000}, "handoff_json_shape"),
        (JsonObject, {"a": "x" * 40_000}, "handoff_json_size"),
        (JsonObject, [], "dict_type"),
    ],
)
def test_what_the_database_could_not_keep_is_refused(
    shape: object, given: object, kind: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        read(shape, given)

    assert refused.value.errors()[0]["type"] == kind


def test_a_phone_number_without_a_countrys_code_is_read_in_its_region() -> None:
    german = Annotated[str, PhoneNumber("DE")]

    assert read(german, "030 1234567") == "+49301234567"


def test_an_empty_text_is_taken_only_where_it_is_allowed() -> None:
    assert read(Annotated[str, Text(10, min_length=0)], "") == ""


def test_money_is_whole_minor_units_with_a_currency() -> None:
    money = read_json(Money, '{"amount_minor": 9223372036854775807, "currency": "eur"}')

    assert money == Money(amount_minor=2**63 - 1, currency="EUR")


def test_a_moment_is_written_in_utc_with_a_z() -> None:
    written = TypeAdapter(Instant).dump_json(read(Instant, "2026-11-23T10:30:00+01:00"))

    assert written == b'"2026-11-23T09:30:00Z"'


@pytest.mark.parametrize("given", ["anna@example.com", "ANNA@EXAMPLE.COM", "Anna@Example.com"])
def test_the_same_person_has_the_same_address_however_it_is_typed(given: str) -> None:
    assert read(Email, given) == "anna@example.com"


def test_all_codes_have_their_length() -> None:
    assert len(COUNTRIES) == 249
    assert {len(code) for code in COUNTRIES} == {2}
    assert {len(code) for code in CURRENCIES} == {3}
