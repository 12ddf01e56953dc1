"""Sources: made, shown, changed; their secrets stay secret."""

from typing import Any

import pytest
from tests.integration.marketing_intake.conftest import Intake
from tests.stack.keys import bearer, make_key


class TestMakingASource:
    async def test_a_form_has_an_address_that_cannot_be_guessed(self, quiet_intake: Intake) -> None:
        first, second = [await quiet_intake.make_source(kind="form") for _ in range(2)]

        assert first["path"] == f"/v1/forms/{first['token']}"
        assert len(first["token"]) >= 32
        assert first["token"] != second["token"]

    async def test_an_api_source_has_no_address(self, quiet_intake: Intake) -> None:
        source = await quiet_intake.make_source()

        assert source["token"] is None

    async def test_a_key_that_was_made_here_is_shown_once(self, quiet_intake: Intake) -> None:
        source = await quiet_intake.make_source(kind="google_ads")

        shown = await quiet_intake.show(f"/v1/sources/{source['id']}")
        assert len(source["google_key"]) >= 32
        assert shown["google_key"] is None

    async def test_twice_under_one_key_is_one_source(self, quiet_intake: Intake) -> None:
        wanted = {"name": "Once", "kind": "form", "channel": "seo"}
        key = {"Idempotency-Key": "once-only"}

        first, again = [
            await quiet_intake.http.post("/v1/sources", json=wanted, headers=key) for _ in range(2)
        ]

        assert first.json() == again.json()

    async def test_another_google_key_under_one_key_is_another_source(
        self, quiet_intake: Intake
    ) -> None:
        wanted = {"name": "Ads", "kind": "google_ads", "channel": "advertising"}
        key = {"Idempotency-Key": "one-google-key"}

        statuses = [
            (
                await quiet_intake.http.post(
                    "/v1/sources", json=wanted | {"google_key": secret}, headers=key
                )
            ).status_code
            for secret in ("first", "second", "first")
        ]

        assert statuses == [201, 422, 201]

    @pytest.mark.parametrize(
        ("changed", "pointer"),
        [
            ({"name": ""}, "#/name"),
            ({"name": None}, "#/name"),
            ({"kind": "fax"}, "#/kind"),
            ({"channel": "carrier pigeon"}, "#/channel"),
            ({"mapping": {"mail": "e-mail"}}, "#/mapping/mail"),
            ({"mapping": ["mail"]}, "#/mapping"),
            ({"success_urls": ["javascript:alert(1)"]}, "#/success_urls/0"),
            ({"success_urls": ["https://a@b.example.com/"]}, "#/success_urls/0"),
            ({"phone_region": "XX"}, "#/phone_region"),
            ({"google_key": "only for google"}, "#/google_key"),
            ({"default_consents": [{"purpose": "No Name"}]}, "#/default_consents/0/purpose"),
            ({"nmae": "misspelt"}, "#/nmae"),
        ],
    )
    async def test_a_wrong_field_is_named(
        self, quiet_intake: Intake, changed: dict[str, Any], pointer: str
    ) -> None:
        wanted = {"name": "A source", "kind": "form", "channel": "content"} | changed

        answer = await quiet_intake.http.post("/v1/sources", json=wanted)

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == pointer


class TestSeeingSources:
    async def test_a_reader_sees_the_source_but_not_its_address(self, quiet_intake: Intake) -> None:
        source = await quiet_intake.make_source(kind="form")
        key = await make_key(quiet_intake.engine, "leads:read")

        answer = await quiet_intake.anybody.get(f"/v1/sources/{source['id']}", headers=bearer(key))

        assert answer.json()["name"] == "A source"
        assert source["token"] not in answer.text

    async def test_who_only_writes_leads_sees_none(self, quiet_intake: Intake) -> None:
        key = await make_key(quiet_intake.engine, "leads:write")

        answer = await quiet_intake.anybody.get("/v1/sources", headers=bearer(key))

        assert answer.status_code == 403

    async def test_they_are_listed_newest_first_page_by_page(self, quiet_intake: Intake) -> None:
        made = [(await quiet_intake.make_source())["id"] for _ in range(3)]

        first = await quiet_intake.show("/v1/sources?limit=2")
        second = await quiet_intake.show(f"/v1/sources?limit=1&cursor={first['next']}")

        listed = [one["id"] for one in first["items"] + second["items"]]
        assert listed == made[::-1]


class TestChangingASource:
    async def test_who_saw_the_present_version_may(self, quiet_intake: Intake) -> None:
        source = await quiet_intake.make_source(kind="form")
        path = f"/v1/sources/{source['id']}"
        change = {"mapping": {"b": "email", "a": "phone"}, "channel": "social"}

        answer = await quiet_intake.http.patch(path, json=change, headers={"If-Match": '"1"'})

        assert answer.status_code == 200
        shown = await quiet_intake.show(path)
        assert list(shown["mapping"]) == ["b", "a"]
        assert (shown["channel"], shown["version"], shown["name"]) == ("social", 2, "A source")

    @pytest.mark.parametrize(
        ("headers", "status"), [({"If-Match": '"7"'}, 412), ({}, 428), ({"If-Match": "7"}, 422)]
    )
    async def test_who_saw_another_version_may_not(
        self, quiet_intake: Intake, headers: dict[str, str], status: int
    ) -> None:
        source = await quiet_intake.make_source()

        answer = await quiet_intake.http.patch(
            f"/v1/sources/{source['id']}", json={"name": "New"}, headers=headers
        )

        assert answer.status_code == status
