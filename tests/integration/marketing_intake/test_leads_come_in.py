"""Our own API: a lead is posted, resolves, and is read back; whatever is wrong is named."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.integration.marketing_intake.conftest import WAIT, Intake
from tests.stack.keys import bearer, make_key

from shared.ids import new_id


class TestPostingALead:
    async def test_answers_a_receipt_that_shows_what_became_of_it(self, intake: Intake) -> None:
        answer = await intake.post(email="anna@posted.example.com", company="ACME")

        assert answer.status_code == 202
        receipt = answer.json()["receipt_id"]
        assert answer.json() == {"receipt_id": receipt}
        assert answer.headers["Location"] == f"/v1/submissions/{receipt}"
        await intake.settled(intake.source_id)
        shown = await intake.show(answer.headers["Location"])
        assert (shown["state"], shown["outcome"]) == ("created", "created")
        lead = await intake.show(f"/v1/leads/{shown['lead_id']}")
        assert (lead["email"], lead["company"]) == ("anna@posted.example.com", "ACME")

    async def test_with_prefer_wait_answers_the_outcome(self, intake: Intake) -> None:
        first = await intake.post(WAIT, email="ben@posted.example.com")
        again = await intake.post(WAIT, email="BEN@posted.example.com", company="ACME")

        assert (first.status_code, first.json()["outcome"]) == (201, "created")
        assert (again.status_code, again.json()["outcome"]) == (200, "updated")
        assert first.json()["lead_id"] == again.json()["lead_id"]
        assert again.headers["Preference-Applied"] == "wait=8"

    async def test_nobody_to_reach_is_rejected_with_the_reason(self, intake: Intake) -> None:
        answer = await intake.post(WAIT, first_name="Nobody")

        assert answer.status_code == 200
        assert (answer.json()["outcome"], answer.json()["reason"]) == ("rejected", "unreachable")

    async def test_a_test_lead_is_kept_apart(self, intake: Intake) -> None:
        answer = await intake.post(WAIT, email="test@posted.example.com", is_test=True)

        assert (answer.json()["outcome"], answer.json()["reason"]) == ("quarantined", "test")
        assert (await intake.show("/v1/leads?email=test@posted.example.com"))["items"] == []

    async def test_all_that_was_said_is_shown(self, intake: Intake) -> None:
        lead_id = await intake.lead_of(
            email="all@posted.example.com",
            phone="+49 30 1234567",
            full_name="Anna Maria Schmidt",
            country="de",
            message="Call me",
            page_url="https://shop.example.com/?utm_source=news&gclid=AbC",
            answers={"budget": 10_000},
            consents=[{"purpose": "newsletter", "granted": True, "text": "Send me news"}],
            unknown={"kept": "raw"},
        )

        lead = await intake.show(f"/v1/leads/{lead_id}")
        (touchpoint,) = (await intake.show(f"/v1/leads/{lead_id}/touchpoints"))["items"]
        assert (lead["phone"], lead["last_name"], lead["country"]) == (
            "+49301234567",
            "Schmidt",
            "DE",
        )
        assert lead["touchpoint_count"] == 1
        assert lead["consents"][0]["text"] == "Send me news"
        assert touchpoint["utm"] == {"source": "news"}
        assert touchpoint["click_ids"] == {"gclid": "AbC"}
        assert touchpoint["answers"] == {"budget": "10000"}

    async def test_the_same_person_two_hundred_times_at_once_is_one_lead(
        self, intake: Intake
    ) -> None:
        answers = await asyncio.gather(
            *(intake.post(WAIT, email="crowd@posted.example.com") for _ in range(200))
        )

        assert sorted(answer.status_code for answer in answers) == [200] * 199 + [201]
        (lead,) = (await intake.show("/v1/leads?email=crowd@posted.example.com"))["items"]
        assert {answer.json()["lead_id"] for answer in answers} == {lead["id"]}
        assert (await intake.show(f"/v1/leads/{lead['id']}"))["touchpoint_count"] == 200
        said = await intake.rows(
            "SELECT type, sequence FROM outbox WHERE subject = :id ORDER BY id",
            id=UUID(lead["id"]),
        )
        assert [row.sequence for row in said] == list(range(1, 201))
        assert [row.type for row in said] == ["lead.captured.v1"] + ["lead.updated.v1"] * 199


class TestRepeating:
    async def test_a_key_repeated_answers_the_first_submissions_present_state(
        self, intake: Intake
    ) -> None:
        key = {"Idempotency-Key": str(new_id())}

        first = await intake.post(WAIT | key, email="same@posted.example.com")
        again = await intake.post(key, email="same@posted.example.com")

        assert again.json()["receipt_id"] == first.json()["receipt_id"]
        assert (again.status_code, again.json()["outcome"]) == (202, "created")

    async def test_fifty_at_once_under_one_key_are_one_submission(self, intake: Intake) -> None:
        key = {"Idempotency-Key": str(new_id())}

        answers = await asyncio.gather(
            *(intake.post(WAIT | key, email="fifty@posted.example.com") for _ in range(50))
        )

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["receipt_id"] for answer in answers}) == 1

    async def test_other_content_under_our_own_key_is_refused(self, intake: Intake) -> None:
        key = {"Idempotency-Key": str(new_id())}
        await intake.post(key, email="one@posted.example.com")

        answer = await intake.post(key, email="two@posted.example.com")

        assert answer.status_code == 422
        assert answer.json()["type"].endswith("idempotency-key-reused")

    @pytest.mark.parametrize("key", ["", "two words", "x" * 201, '""'])
    async def test_what_can_be_no_key_is_refused(self, intake: Intake, key: str) -> None:
        answer = await intake.post({"Idempotency-Key": key}, email="one@posted.example.com")

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["header"] == "Idempotency-Key"

    async def test_quotes_around_a_key_are_the_standards_and_not_part_of_it(
        self, intake: Intake
    ) -> None:
        key = str(new_id())

        bare = await intake.post({"Idempotency-Key": key}, email="q@posted.example.com")
        quoted = await intake.post({"Idempotency-Key": f'"{key}"'}, email="q@posted.example.com")

        assert bare.json()["receipt_id"] == quoted.json()["receipt_id"]

    async def test_how_the_content_is_written_does_not_matter(self, intake: Intake) -> None:
        key = {"Idempotency-Key": str(new_id()), "Content-Type": "application/json"}
        source = f'"source_id":"{intake.source_id}"'

        first = await intake.http.post(
            "/v1/leads", content=f'{{{source},"email":"w@x.co","company":"A"}}', headers=key
        )
        again = await intake.http.post(
            "/v1/leads", content=f'{{"company": "A", {source}, "email": "w@x.co"}}', headers=key
        )

        assert first.json()["receipt_id"] == again.json()["receipt_id"]

    async def test_the_senders_own_id_repeats_safely_and_other_content_is_its_own(
        self, intake: Intake
    ) -> None:
        event = str(new_id())
        lead = {"email": "own@posted.example.com", "source_event_id": event}

        first = await intake.post(WAIT, **lead)
        again = await intake.post(WAIT, **lead)
        other = await intake.post(WAIT, **lead, company="Other")
        other_again = await intake.post(WAIT, **lead, company="Other")

        assert first.json()["receipt_id"] == again.json()["receipt_id"]
        assert other.status_code == 200
        assert other.json()["receipt_id"] != first.json()["receipt_id"]
        assert other.json()["receipt_id"] == other_again.json()["receipt_id"]


class TestABatch:
    async def test_gives_each_item_an_answer_of_its_own(self, intake: Intake) -> None:
        items = [
            {"source_id": intake.source_id, "email": "b1@posted.example.com"},
            {"source_id": intake.source_id, "email": "not an address"},
            {"source_id": intake.source_id, "email": "b2@posted.example.com"},
        ]

        answer = await intake.http.post("/v1/leads/batch", json={"items": items}, headers=WAIT)

        first, wrong, last = answer.json()["items"]
        assert answer.status_code == 202
        assert (first["status"], last["status"]) == (201, 201)
        assert wrong["status"] == 422
        assert wrong["problem"]["errors"][0]["pointer"] == "#/email"

    async def test_repeated_under_one_key_stores_nothing_twice(self, intake: Intake) -> None:
        items = [{"source_id": intake.source_id, "email": f"r{n}@x.co"} for n in range(3)]
        key = {"Idempotency-Key": str(new_id())}

        first, again = [
            (await intake.http.post("/v1/leads/batch", json={"items": items}, headers=key)).json()
            for _ in range(2)
        ]

        receipts = [item["receipt_id"] for item in first["items"]]
        assert [item["receipt_id"] for item in again["items"]] == receipts
        assert len(set(receipts)) == 3

    @pytest.mark.parametrize("items", [[], [{}] * 501])
    async def test_holds_one_to_five_hundred(self, intake: Intake, items: list[Any]) -> None:
        answer = await intake.http.post("/v1/leads/batch", json={"items": items})

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "#/items"


class TestWhoMayPost:
    async def test_nobody_without_a_key(self, intake: Intake) -> None:
        answer = await intake.anybody.post("/v1/leads", json={"email": "a@b.co"})

        assert answer.status_code == 401

    async def test_a_key_that_is_tied_to_a_source_needs_no_source_id(self, intake: Intake) -> None:
        own = await make_key(intake.engine, "leads:write", source_id=intake.source_id)
        headers = bearer(own) | WAIT

        answer = await intake.anybody.post(
            "/v1/leads", json={"email": "tied@x.co"}, headers=headers
        )

        assert answer.status_code == 201

    async def test_a_key_that_is_tied_may_not_write_elsewhere(self, intake: Intake) -> None:
        other = await intake.make_source()
        own = await make_key(intake.engine, "leads:write", source_id=other["id"])
        headers = bearer(own)
        lead = {"email": "tied@x.co", "source_id": intake.source_id}

        answer = await intake.anybody.post("/v1/leads", json=lead, headers=headers)

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "#/source_id"


class TestWrongInput:
    @pytest.mark.parametrize(
        ("lead", "pointer"),
        [
            ({"email": "not an address"}, "#/email"),
            ({"email": 5}, "#/email"),
            ({"phone": "call me"}, "#/phone"),
            ({"country": "Germany"}, "#/country"),
            ({"first_name": "x" * 101}, "#/first_name"),
            ({"message": "a\x00b"}, "#/message"),
            ({"unknown": {"deep": ["a\x00b"]}}, "#/unknown/deep/0"),
            ({"submitted_at": "yesterday"}, "#/submitted_at"),
            ({"consents": [{"purpose": "News letter", "granted": True}]}, "#/consents/0/purpose"),
            ({"consents": [{"purpose": "news", "granted": "yes"}]}, "#/consents/0/granted"),
            ({"utm": "source"}, "#/utm"),
            ({"source_id": "no id"}, "#/source_id"),
            ({"source_id": str(new_id())}, "#/source_id"),
            ({"source_id": None}, "#/source_id"),
        ],
    )
    async def test_is_refused_by_the_name_of_the_field(
        self, intake: Intake, lead: dict[str, Any], pointer: str
    ) -> None:
        answer = await intake.post(**lead)

        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["errors"][0]["pointer"] == pointer

    @pytest.mark.parametrize(
        ("body", "content_type", "status"),
        [
            (b"{", "application/json", 400),
            (b"[]", "application/json", 422),
            (b"", "application/json", 422),
            (b'{"a": NaN}', "application/json", 400),
            (b'{"first_name": "\\ud800"}', "application/json", 400),
            (b"\xff\xfe", "application/json", 400),
            (b"a=b", "application/x-www-form-urlencoded", 415),
            (b'{"message": "' + b"x" * 1_100_000 + b'"}', "application/json", 413),
        ],
    )
    async def test_a_body_that_is_no_lead_is_refused(
        self, intake: Intake, body: bytes, content_type: str, status: int
    ) -> None:
        answer = await intake.http.post(
            "/v1/leads", content=body, headers={"Content-Type": content_type}
        )

        assert answer.status_code == status
        assert answer.json()["status"] == status

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/v1/submissions/00000000-0000-0000-0000-000000000000", 404),
            ("GET", "/v1/submissions/no-id", 422),
            ("GET", "/v1/submissions?state=lost", 422),
            ("GET", "/v1/leads/00000000-0000-0000-0000-000000000000", 404),
            ("GET", "/v1/leads/00000000-0000-0000-0000-000000000000/touchpoints", 404),
            ("GET", "/v1/leads?email=nobody", 422),
            ("GET", "/v1/leads?phone=123", 422),
            ("GET", "/v1/leads?cursor=abc", 422),
            ("GET", "/v1/leads?limit=0", 422),
            ("GET", "/v1/leads?updated_since=yesterday", 422),
            ("DELETE", "/v1/leads/00000000-0000-0000-0000-000000000000", 404),
            ("POST", "/v1/submissions/00000000-0000-0000-0000-000000000000/retry", 404),
            ("PUT", "/v1/leads", 405),
        ],
    )
    async def test_an_address_that_leads_nowhere_says_so(
        self, intake: Intake, method: str, path: str, status: int
    ) -> None:
        answer = await intake.http.request(method, path)

        assert answer.status_code == status
        assert answer.json()["status"] == status


class TestListingLeads:
    async def test_finds_by_email_phone_and_change_page_by_page(self, intake: Intake) -> None:
        ids = [
            await intake.lead_of(email=f"l{n}@listed.example.com", phone=f"+49301112{n:02}")
            for n in range(3)
        ]
        since = (await intake.show(f"/v1/leads/{ids[0]}"))["updated_at"].replace("+", "%2B")

        by_phone = await intake.show("/v1/leads?phone=%2B49%2030%20111201")
        first = await intake.show(f"/v1/leads?updated_since={since}&limit=2")
        rest = await intake.show(f"/v1/leads?updated_since={since}&cursor={first['next']}")

        listed = [item["id"] for item in first["items"] + rest["items"]]
        assert [item["id"] for item in by_phone["items"]] == [ids[1]]
        assert [each for each in listed if each in ids] == ids
        assert len(first["items"]) == 2
        assert rest["next"] is None


class TestWhatWasLetGo:
    async def test_a_repeat_is_answered_alike_after_its_submission_is_gone(
        self, intake: Intake
    ) -> None:
        headers = {"Idempotency-Key": "from-long-ago"}
        first = await intake.post(headers | WAIT, email="old@posted.example.com")
        receipt = first.json()["receipt_id"]
        async with intake.engine.begin() as connection:
            await connection.execute(
                text("DELETE FROM submission WHERE id = :id"), {"id": UUID(receipt)}
            )

        again = await intake.post(headers, email="old@posted.example.com")
        lead = await intake.show(f"/v1/leads/{first.json()['lead_id']}")
        shown = await intake.http.get(f"/v1/submissions/{receipt}")

        assert again.is_success
        told = {name: first.json()[name] for name in ("receipt_id", "outcome", "lead_id")}
        assert told.items() <= again.json().items()
        assert lead["email"] == "old@posted.example.com"
        assert shown.status_code == 404
