"""Consent, behaviour and erasure of people who are known."""

from typing import Any
from uuid import UUID

import pytest
from tests.integration.marketing_intake.conftest import WAIT, Intake

from shared.ids import new_id

NOBODY = str(new_id())


async def said_of(intake: Intake, lead_id: str) -> list[str]:
    rows = await intake.rows(
        "SELECT type FROM outbox WHERE subject = :id ORDER BY id", id=UUID(lead_id)
    )
    return [row.type for row in rows]


class TestConsent:
    async def test_a_withdrawal_holds_and_is_said(self, intake: Intake) -> None:
        given = [{"purpose": "newsletter", "granted": True}]
        lead_id = await intake.lead_of(email="c1@known.example.com", consents=given)
        path = f"/v1/leads/{lead_id}"

        answer = await intake.http.post(
            f"{path}/consents", json={"purpose": "newsletter", "granted": False}
        )

        assert answer.status_code == 201
        assert answer.json()["granted"] is False
        lead = await intake.show(path)
        assert [consent["granted"] for consent in lead["consents"]] == [False]
        assert lead["version"] == 2
        assert await said_of(intake, lead_id) == ["lead.captured.v1", "lead.consent_changed.v1"]

    async def test_twice_under_one_key_is_said_once(self, intake: Intake) -> None:
        lead_id = await intake.lead_of(email="c2@known.example.com")
        key = {"Idempotency-Key": str(new_id())}
        consent = {"purpose": "newsletter", "granted": True}

        first, again = [
            await intake.http.post(f"/v1/leads/{lead_id}/consents", json=consent, headers=key)
            for _ in range(2)
        ]

        assert first.json() == again.json()
        assert len(await said_of(intake, lead_id)) == 2

    @pytest.mark.parametrize(
        ("consent", "pointer"),
        [
            ({"granted": True}, "#/purpose"),
            ({"purpose": "news"}, "#/granted"),
            ({"purpose": "news", "granted": "yes"}, "#/granted"),
            ({"purpose": "news", "granted": True, "until": "2030"}, "#/until"),
            ({"purpose": "news", "granted": True, "text": "a\x00"}, "#/text"),
        ],
    )
    async def test_a_wrong_field_is_named(
        self, intake: Intake, consent: dict[str, Any], pointer: str
    ) -> None:
        answer = await intake.http.post(f"/v1/leads/{NOBODY}/consents", json=consent)

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == pointer

    async def test_of_nobody_is_not_found(self, intake: Intake) -> None:
        answer = await intake.http.post(
            f"/v1/leads/{NOBODY}/consents", json={"purpose": "news", "granted": True}
        )

        assert answer.status_code == 404
        known = await intake.rows("SELECT 1 FROM subject WHERE id = :id", id=UUID(NOBODY))
        assert known == []


class TestBehaviour:
    async def test_a_page_view_is_kept_and_said_on_its_own_topic(self, intake: Intake) -> None:
        lead_id = await intake.lead_of(email="t1@known.example.com")
        view = {
            "lead_id": lead_id,
            "source_id": intake.source_id,
            "kind": "page_view",
            "page_url": "https://shop.example.com/pricing",
        }

        answer = await intake.http.post("/v1/touchpoints", json=view)

        assert answer.status_code == 201
        kinds = [
            one["kind"] for one in (await intake.show(f"/v1/leads/{lead_id}/touchpoints"))["items"]
        ]
        assert kinds == ["api", "page_view"]
        rows = await intake.rows(
            "SELECT topic, sequence FROM outbox WHERE type = 'touchpoint.recorded.v1'"
            " AND subject = :id",
            id=UUID(lead_id),
        )
        assert [tuple(row) for row in rows] == [("handoff.touchpoints.v1", 1)]

    @pytest.mark.parametrize(
        ("changed", "status"),
        [
            ({"lead_id": NOBODY}, 404),
            ({"lead_id": "none"}, 422),
            ({"kind": "Page view"}, 422),
            ({"kind": None}, 422),
            ({"source_id": NOBODY}, 422),
            ({"occurred_at": "then"}, 422),
        ],
    )
    async def test_wrong_input_is_refused(
        self, intake: Intake, changed: dict[str, Any], status: int
    ) -> None:
        view = {"lead_id": NOBODY, "source_id": intake.source_id, "kind": "click"} | changed

        answer = await intake.http.post("/v1/touchpoints", json=view)

        assert answer.status_code == status


class TestIdentity:
    async def test_who_shares_a_phone_is_suggested_and_never_merged(self, intake: Intake) -> None:
        phone = "+493011122233"
        first = await intake.lead_of(email="p1@known.example.com", phone=phone)
        second = await intake.lead_of(email="p2@known.example.com", phone=phone)
        alone = await intake.lead_of(phone=phone)

        assert len({first, second, alone}) == 3
        lead = await intake.show(f"/v1/leads/{first}")
        assert set(lead["suggested_duplicates"]) == {second, alone}

    async def test_an_email_joins_the_lead_that_had_only_a_phone(self, intake: Intake) -> None:
        first = await intake.lead_of(phone="+493011122244")
        second = await intake.lead_of(email="p3@known.example.com", phone="+493011122244")

        assert first == second
        assert (await intake.show(f"/v1/leads/{first}"))["email"] == "p3@known.example.com"


class TestErasing:
    everything = (
        "SELECT coalesce(string_agg(x::text, ' '), '') AS held FROM ("
        " SELECT to_jsonb(l) AS x FROM lead l UNION ALL SELECT to_jsonb(k) FROM identity_key k"
        " UNION ALL SELECT to_jsonb(p) FROM lead_phone p"
        " UNION ALL SELECT to_jsonb(t) FROM touchpoint t"
        " UNION ALL SELECT to_jsonb(c) FROM consent c"
        " UNION ALL SELECT to_jsonb(s) - 'body' || jsonb_build_object('body',"
        "   encode(s.body, 'escape')) FROM submission s"
        " UNION ALL SELECT to_jsonb(i) FROM idempotency i"
        ") everything"
    )

    async def test_leaves_nothing_of_the_person_here(self, intake: Intake) -> None:
        lead_id = await intake.lead_of(
            email="canary@known.example.com",
            phone="+493099999999",
            last_name="Canary",
            message="Canary sings",
            consents=[{"purpose": "news", "granted": True, "text": "Canary agrees"}],
        )
        await intake.http.post(
            f"/v1/leads/{lead_id}/consents",
            json={"purpose": "sms", "granted": True, "text": "Canary again"},
            headers={"Idempotency-Key": str(new_id())},
        )
        spam = {"source_id": intake.source_id, "email": "Canary@known.example.com"}
        quarantined = await intake.http.post("/v1/leads", json=spam | {"is_test": True})

        answer = await intake.http.delete(f"/v1/leads/{lead_id}")

        assert quarantined.status_code == 202
        assert (answer.status_code, answer.content) == (204, b"")
        (row,) = await intake.rows(self.everything)
        assert "canary" not in row.held.lower()
        assert "9999999" not in row.held
        assert (await intake.http.get(f"/v1/leads/{lead_id}")).status_code == 404
        assert (await intake.show("/v1/leads?email=canary@known.example.com"))["items"] == []

    async def test_is_said_once_however_often_it_is_asked_for(self, intake: Intake) -> None:
        lead_id = await intake.lead_of(email="twice@known.example.com")

        answers = [await intake.http.delete(f"/v1/leads/{lead_id}") for _ in range(3)]

        assert [answer.status_code for answer in answers] == [204] * 3
        assert (await said_of(intake, lead_id)).count("lead.erased.v1") == 1

    async def test_nothing_more_can_be_written_about_them(self, intake: Intake) -> None:
        lead_id = await intake.lead_of(email="gone@known.example.com")
        await intake.http.delete(f"/v1/leads/{lead_id}")

        consent = await intake.http.post(
            f"/v1/leads/{lead_id}/consents", json={"purpose": "news", "granted": True}
        )
        view = {"lead_id": lead_id, "source_id": intake.source_id, "kind": "click"}
        behaviour = await intake.http.post("/v1/touchpoints", json=view)

        assert (consent.status_code, behaviour.status_code) == (404, 404)

    async def test_who_comes_again_is_a_new_lead(self, intake: Intake) -> None:
        first = await intake.lead_of(email="back@known.example.com")
        await intake.http.delete(f"/v1/leads/{first}")

        second = await intake.post(WAIT, email="back@known.example.com")

        assert second.json()["outcome"] == "created"
        assert second.json()["lead_id"] != first
