"""What a submission says, read from the fields of forms, ad platforms and our own API."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketing_intake.domain.canonical import CanonicalLead, ConsentSaid
from marketing_intake.domain.mapping import is_target, read_fields
from marketing_intake.domain.source import DefaultConsent, Source
from shared.ids import new_id


def a_source(kind: str = "form", **changed: object) -> Source:
    given = {"id": new_id(), "name": "Demo", "kind": kind, "channel": "content"} | changed
    return Source(**given)


def digits(text: str, region: str | None) -> str | None:
    """Stand for a phone library: a number is its digits, with the region in front."""
    found = "".join(letter for letter in text if letter.isdigit())
    return f"+{region or ''}{found}" if found else None


def read(fields: Mapping[str, object], source: Source) -> CanonicalLead:
    return read_fields(fields, source=source, phones=digits)


class TestForms:
    def test_customary_names_are_understood(self) -> None:
        fields = {"E-Mail": " Anna@Example.COM ", "your-name": "Anna Maria Schmidt", "Tel": "0301"}

        said = read(fields, a_source())

        assert (said.email, said.phone) == ("anna@example.com", "+0301")
        assert (said.first_name, said.last_name) == ("Anna Maria", "Schmidt")

    def test_the_sources_own_mapping_goes_first(self) -> None:
        source = a_source(mapping={"field_6f86": "email", "email": "company"})

        said = read({"email": "ACME", "field_6f86": "a@b.co"}, source)

        assert (said.email, said.company) == ("a@b.co", "ACME")

    def test_what_nobody_mapped_is_an_answer(self) -> None:
        said = read({"email": "a@b.co", "Budget": "10k", "toppings": ["ham", "egg"]}, a_source())

        assert said.answers == {"Budget": "10k", "toppings": "ham, egg"}

    def test_the_forms_own_machinery_is_no_answer(self) -> None:
        fields = {"_next": "https://x.example/", "_gotcha": "", "submit": "Send", "website": "spam"}

        said = read(fields, a_source(honeypot="website"))

        assert said.answers == {}

    def test_an_unreadable_address_is_kept_as_an_answer_and_the_next_one_taken(self) -> None:
        said = read({"email": "none", "work_email": "a@b.co"}, a_source())

        assert said.email == "a@b.co"
        assert said.answers == {"email": "none"}

    def test_campaign_and_click_ids_come_from_fields_then_from_the_pages_query(self) -> None:
        url = "https://x.example/?utm_source=page&UTM_Medium=cpc&gclid=AbC&fbclid=F1"

        said = read({"utm_source": "field", "page_url": url, "fbclid": "F0"}, a_source())

        assert said.utm == {"source": "field", "medium": "cpc"}
        assert said.click_ids == {"gclid": "AbC", "fbclid": "F0"}

    def test_a_phone_is_read_with_the_sources_region(self) -> None:
        said = read({"phone": "030 1"}, a_source(phone_region="DE"))

        assert said.phone == "+DE0301"


class TestConsent:
    box = a_source(
        mapping={"news": "consent.email_marketing"},
        default_consents=(DefaultConsent("email_marketing", text="I want news"),),
    )

    def test_a_ticked_box_is_consent_with_the_sources_words(self) -> None:
        said = read({"email": "a@b.co", "news": "on"}, self.box)

        assert said.consents == (ConsentSaid("email_marketing", granted=True, text="I want news"),)

    def test_a_box_that_was_not_ticked_says_nothing(self) -> None:
        assert read({"email": "a@b.co"}, self.box).consents == ()

    def test_a_box_that_says_no_is_a_refusal(self) -> None:
        (consent,) = read({"news": "No"}, self.box).consents

        assert consent.granted is False

    def test_what_everybody_agrees_to_holds_where_no_box_asks(self) -> None:
        source = a_source(default_consents=(DefaultConsent("contact"),))

        assert read({}, source).consents == (ConsentSaid("contact", granted=True),)


class TestGoogleAds:
    def test_columns_and_ids_are_mapped(self) -> None:
        fields = {
            "lead_id": "L1",
            "gcl_id": "CjwK",
            "campaign_id": 20000000000,
            "adgroup_id": 0,
            "lead_submit_time": "2024-09-26T12:30:00Z",
            "user_column_data": [
                {"column_id": "WORK_EMAIL", "string_value": "work@b.co"},
                {"column_id": "EMAIL", "string_value": "home@b.co"},
                {"column_id": "FULL_NAME", "string_value": "Ada Lovelace"},
                {"column_id": "SERVICE", "column_name": "Which?", "string_value": "Roof"},
                "noise",
            ],
        }

        said = read(fields, a_source("google_ads"))

        assert (said.email, said.last_name) == ("home@b.co", "Lovelace")
        assert (said.campaign_id, said.click_ids) == ("20000000000", {"gclid": "CjwK"})
        assert said.submitted_at == datetime(2024, 9, 26, 12, 30, tzinfo=UTC)
        assert said.answers["SERVICE"] == "Roof"
        assert said.answers["WORK_EMAIL"] == "work@b.co"


class TestOurOwnApi:
    def test_the_canonical_lead_is_read_as_it_is(self) -> None:
        fields = {
            "email": "a@b.co",
            "country": "de",
            "utm": {"utm_source": "news", "medium": "email"},
            "click_ids": {"gclid": "X"},
            "answers": {"budget": "10k"},
            "consents": [{"purpose": "email_marketing", "granted": False, "text": "No news"}],
            "unknown": "kept raw only",
        }

        said = read(fields, a_source("api"))

        assert (said.country, said.utm) == ("DE", {"source": "news", "medium": "email"})
        assert (said.click_ids, said.answers) == ({"gclid": "X"}, {"budget": "10k"})
        assert said.consents == (ConsentSaid("email_marketing", granted=False, text="No news"),)

    def test_answers_may_be_a_list_of_questions(self) -> None:
        fields = {"answers": [{"question": "Budget?", "answer": "10k"}]}

        assert read(fields, a_source("api")).answers == {"Budget?": "10k"}

    def test_a_mapped_field_need_not_bear_a_canonical_name(self) -> None:
        source = a_source("api", mapping={"contact.mail": "email"})

        assert read({"contact": {"mail": "a@b.co"}}, source).email == "a@b.co"


class TestHostileFields:
    def test_what_the_database_refuses_is_taken_out(self) -> None:
        said = read({"email": "a@b.co", "message": "a\x00b\ud800c"}, a_source())

        assert said.message == "abc"

    json = st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
    names = st.text() | st.sampled_from(["email", "phone", "utm", "consents", "user_column_data"])

    @pytest.mark.parametrize("kind", ["api", "form", "google_ads"])
    @given(fields=st.dictionaries(names, json, max_size=8))
    @settings(max_examples=50, deadline=None)
    def test_no_json_object_makes_reading_fail(self, kind: str, fields: dict[str, object]) -> None:
        said = read(fields, a_source(kind))

        for text in (said.message or "", *said.answers, *said.answers.values()):
            text.encode()
            assert "\x00" not in text


@pytest.mark.parametrize("target", ["email", "utm.source", "click_ids.gclid", "consent.sms"])
def test_a_mapping_may_name_a_canonical_field(target: str) -> None:
    assert is_target(target)


@pytest.mark.parametrize("target", ["mail", "utm.x", "click_ids.", "consent.", "consent.A b", ""])
def test_a_mapping_may_not_name_anything_else(target: str) -> None:
    assert not is_target(target)
