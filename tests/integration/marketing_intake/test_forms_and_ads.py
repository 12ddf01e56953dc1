"""Web forms and Google Ads: any shape is taken in, spam and tests are kept apart."""

import asyncio
from typing import Any

import httpx
import pytest
from tests.integration.marketing_intake.conftest import Intake

THANKS = "https://shop.example.com/thanks"


async def a_form(intake: Intake, **fields: object) -> dict[str, Any]:
    return await intake.make_source(kind="form", **fields)


def a_google_lead(**changed: object) -> dict[str, Any]:
    columns = [
        {"column_id": "EMAIL", "string_value": "ada@ads.example.com"},
        {"column_id": "FULL_NAME", "string_value": "Ada Lovelace"},
    ]
    lead = {"lead_id": "L1", "google_key": "open sesame", "user_column_data": columns}
    return lead | {"gcl_id": "CjwK", "campaign_id": 20_000_000_001} | changed


class TestAForm:
    async def test_urlencoded_sends_the_visitor_on_and_makes_a_lead(self, intake: Intake) -> None:
        form = await a_form(intake, success_urls=[THANKS])

        answer = await intake.anybody.post(
            form["path"], data={"your-email": "f1@forms.example.com", "Budget": "10k"}
        )

        assert (answer.status_code, answer.headers["location"]) == (303, THANKS)
        (submission,) = await intake.settled(form["id"])
        assert submission.outcome == "created"
        path = f"/v1/leads/{submission.lead_id}/touchpoints"
        (touchpoint,) = (await intake.show(path))["items"]
        assert (touchpoint["kind"], touchpoint["answers"]) == ("form", {"Budget": "10k"})

    async def test_multipart_keeps_the_fields_and_no_file(self, intake: Intake) -> None:
        form = await a_form(intake)

        answer = await intake.anybody.post(
            form["path"],
            data={"email": "f2@forms.example.com"},
            files={"cv": ("cv.pdf", b"secret content")},
        )

        assert answer.status_code == 200
        assert "Thank you" in answer.text
        (submission,) = await intake.settled(form["id"])
        assert submission.outcome == "created"
        assert b"secret content" not in submission.body

    async def test_json_is_answered_as_json(self, intake: Intake) -> None:
        form = await a_form(intake)

        answer = await intake.anybody.post(form["path"], json={"email": "f3@forms.example.com"})

        assert answer.status_code == 200
        assert list(answer.json()) == ["receipt_id"]

    async def test_its_own_mapping_and_consent_box_are_used(self, intake: Intake) -> None:
        form = await a_form(
            intake,
            mapping={"field_1": "email", "field_2": "consent.newsletter"},
            default_consents=[{"purpose": "newsletter", "text": "Send me news"}],
        )

        await intake.anybody.post(
            form["path"], data={"field_1": "f4@forms.example.com", "field_2": "on"}
        )

        (submission,) = await intake.settled(form["id"])
        (consent,) = (await intake.show(f"/v1/leads/{submission.lead_id}"))["consents"]
        assert (consent["granted"], consent["text"]) == (True, "Send me news")

    @pytest.mark.parametrize(
        ("wanted", "page"),
        [
            (f"{THANKS}/offer", f"{THANKS}/offer"),
            ("https://evil.example.com/", THANKS),
            ("https://shop.example.com.evil.example.com/thanks", THANKS),
            ("https://shop.example.com@evil.example.com/thanks", THANKS),
            ("//evil.example.com/thanks", THANKS),
            ("javascript:alert(1)", THANKS),
            (f"{THANKS}/../admin", THANKS),
        ],
    )
    async def test_visitors_are_only_sent_to_pages_that_are_allowed(
        self, intake: Intake, wanted: str, page: str
    ) -> None:
        form = await a_form(intake, success_urls=[THANKS])

        answer = await intake.anybody.post(
            form["path"], data={"email": "next@forms.example.com", "_next": wanted}
        )

        assert answer.headers["location"] == page

    async def test_spam_is_kept_apart_and_answered_like_everybody(self, intake: Intake) -> None:
        form = await a_form(intake, success_urls=[THANKS], honeypot="website")
        human = {"email": "f5@forms.example.com", "website": ""}

        spam = await intake.anybody.post(form["path"], data=human | {"website": "buy"})
        ham = await intake.anybody.post(form["path"], data=human)

        assert (spam.status_code, spam.headers["location"]) == (
            ham.status_code,
            ham.headers["location"],
        )
        kept = await intake.settled(form["id"])
        assert [(one.outcome, one.reason) for one in kept] == [
            ("created", None),
            ("quarantined", "honeypot"),
        ]

    async def test_a_double_click_is_one_touchpoint(self, intake: Intake) -> None:
        form = await a_form(intake)
        content = {"email": "f6@forms.example.com"}

        await asyncio.gather(*(intake.anybody.post(form["path"], data=content) for _ in range(5)))

        kept = await intake.settled(form["id"])
        assert sorted(one.outcome for one in kept) == ["created"] + ["duplicate"] * 4
        lead = await intake.show(f"/v1/leads/{kept[0].lead_id}")
        assert lead["touchpoint_count"] == 1

    async def test_a_hidden_submission_id_makes_a_repeat_safe(self, intake: Intake) -> None:
        form = await a_form(intake)
        content = {"email": "f7@forms.example.com", "_submission_id": "s-1"}

        first, again = [
            await intake.anybody.post(
                form["path"], data=content, headers={"Accept": "application/json"}
            )
            for _ in range(2)
        ]

        assert first.json() == again.json()
        assert len(await intake.settled(form["id"])) == 1

    @pytest.mark.parametrize(
        ("sent", "status"),
        [
            ({"data": {"email": ""}}, 422),
            ({"content": b"a=b", "headers": {"Content-Type": "text/plain"}}, 415),
            ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
            ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400),
            (
                {
                    "content": b"--b\r\nnonsense",
                    "headers": {"Content-Type": "multipart/form-data; boundary=b"},
                },
                400,
            ),
            (
                {
                    "content": b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b\r\n",
                    "headers": {"Content-Type": "multipart/form-data; boundary=b"},
                },
                400,
            ),
            (
                {
                    "content": b'{"a":' * 300 + b"1" + b"}" * 300,
                    "headers": {"Content-Type": "application/json"},
                },
                400,
            ),
            ({"data": {f"f{n}": "x" for n in range(301)}}, 422),
            ({"json": {f"f{n}": "x" for n in range(301)}}, 422),
            ({"data": {"email": "x" * 1_100_000}}, 413),
        ],
    )
    async def test_what_is_no_form_is_refused(
        self, intake: Intake, sent: dict[str, Any], status: int
    ) -> None:
        form = await a_form(intake)

        answer = await intake.anybody.post(form["path"], **sent)

        assert answer.status_code == status
        assert answer.json()["status"] == status

    async def test_hostile_text_is_stored_and_resolved(self, intake: Intake) -> None:
        form = await a_form(intake)
        content = b"email=f8%40forms.example.com&message=a%00b%ff&%00=x"

        answer = await intake.anybody.post(
            form["path"],
            content=content,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )

        assert answer.status_code == 200
        (submission,) = await intake.settled(form["id"])
        assert submission.outcome == "created"

    async def test_an_unknown_address_is_not_found(self, intake: Intake) -> None:
        answer = await intake.anybody.post("/v1/forms/guessed", data={"email": "a@b.co"})

        assert answer.status_code == 404


class TestGoogleAds:
    async def post(self, intake: Intake, source: dict[str, Any], **changed: object) -> Any:
        return await intake.anybody.post(source["path"], json=a_google_lead(**changed))

    @pytest.fixture
    async def ads(self, intake: Intake) -> dict[str, Any]:
        return await intake.make_source(
            kind="google_ads", channel="advertising", google_key="open sesame"
        )

    async def test_a_lead_is_answered_200_with_nothing_and_resolves(
        self, intake: Intake, ads: dict[str, Any]
    ) -> None:
        answer: httpx.Response = await self.post(intake, ads)

        assert (answer.status_code, answer.text) == (200, "{}")
        (submission,) = await intake.settled(ads["id"])
        lead = await intake.show(f"/v1/leads/{submission.lead_id}")
        assert (lead["email"], lead["last_name"]) == ("ada@ads.example.com", "Lovelace")

    async def test_the_key_is_checked_and_kept_nowhere(
        self, intake: Intake, ads: dict[str, Any]
    ) -> None:
        wrong = await self.post(intake, ads, google_key="guess")
        right = await self.post(intake, ads, lead_id="L2")

        assert (wrong.status_code, right.status_code) == (401, 200)
        (submission,) = await intake.settled(ads["id"])
        shown = await intake.http.get(f"/v1/sources/{ads['id']}")
        assert b"open sesame" not in submission.body
        assert "open sesame" not in shown.text

    async def test_a_repeat_is_stored_once_and_other_content_on_its_own(
        self, intake: Intake, ads: dict[str, Any]
    ) -> None:
        for changed in ({}, {}, {"form_id": 7}, {"form_id": 7}):
            assert (await self.post(intake, ads, lead_id="L3", **changed)).text == "{}"

        assert len(await intake.settled(ads["id"])) == 2

    async def test_a_test_click_is_kept_apart_from_a_real_lead_of_the_same_id(
        self, intake: Intake, ads: dict[str, Any]
    ) -> None:
        await self.post(intake, ads, lead_id="TeSter-1", is_test=True)
        await self.post(intake, ads, lead_id="TeSter-1")

        kept = await intake.settled(ads["id"])
        assert [(one.outcome, one.reason) for one in kept][1] == ("quarantined", "test")
        assert kept[0].outcome in {"created", "updated"}

    @pytest.mark.parametrize(
        ("body", "status"),
        [(b"", 400), (b"{", 400), (b"[]", 400), (b"{}", 401), (b'{"google_key": 5}', 401)],
    )
    async def test_what_is_no_lead_form_is_refused(
        self, intake: Intake, ads: dict[str, Any], body: bytes, status: int
    ) -> None:
        answer = await intake.anybody.post(ads["path"], content=body)

        assert answer.status_code == status

    async def test_malformed_columns_are_refused(self, intake: Intake, ads: dict[str, Any]) -> None:
        answer = await self.post(intake, ads, user_column_data="none")

        assert answer.status_code == 400

    async def test_a_forms_address_is_not_an_ad_platforms(self, intake: Intake) -> None:
        form = await a_form(intake)

        answer = await intake.anybody.post(f"/v1/in/{form['token']}", json=a_google_lead())

        assert answer.status_code == 404
