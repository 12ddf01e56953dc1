"""What lists show, page by page, and what the API says to input that it cannot take."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.sales_pipeline.conftest import (
    Others,
    add_rep,
    qualified,
    rule_of,
)
from tests.stack.keys import bearer, make_key

from shared.clock import utc_now
from shared.ids import new_id

Deal = dict[str, Any]


async def walk(api: httpx.AsyncClient, path: str, **params: str) -> list[str]:
    """Return the ids of a whole list, read in pages of three."""
    ids: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await api.get(path, params={**params, "limit": "3", **cursor})).json()
        ids += [item["id"] for item in page["items"]]
        if page["next"] is None:
            return ids
        cursor = {"cursor": page["next"]}


class TestLists:
    @pytest.fixture
    async def owner(self, api: httpx.AsyncClient, others: Others) -> Deal:
        """Somebody who owns seven deals."""
        rep = await add_rep(api, "gil")
        events = [qualified() for _ in range(7)]
        await others.say(*events)
        for event in events:
            found = await api.get("/v1/deals", params={"lead_id": str(event.lead_id)})
            path = f"/v1/deals/{found.json()['items'][0]['id']}/reassign"
            await api.post(path, json={"owner_id": rep["id"]})
        return rep

    async def test_of_deals_shows_each_once_the_newest_first(
        self, api: httpx.AsyncClient, owner: Deal
    ) -> None:
        ids = await walk(api, "/v1/deals", owner_id=owner["id"], outcome="open")

        assert len(ids) == 7
        assert ids == sorted(ids, reverse=True)

    async def test_since_a_moment_shows_what_changed_after_it_in_that_order(
        self, api: httpx.AsyncClient, owner: Deal
    ) -> None:
        since = utc_now().isoformat()
        ids = await walk(api, "/v1/deals", owner_id=owner["id"])
        for deal_id in (ids[4], ids[0], ids[2], ids[6]):
            await api.post(f"/v1/deals/{deal_id}/stage", json={"stage": "demo"})
        changed = await walk(api, "/v1/deals", owner_id=owner["id"], updated_since=since)

        assert changed == [ids[4], ids[0], ids[2], ids[6]]
        assert set(await walk(api, "/v1/deals", owner_id=owner["id"], stage="demo")) == set(changed)

    async def test_of_a_timeline_shows_each_entry_once_the_earliest_first(
        self, api: httpx.AsyncClient, deal: Deal
    ) -> None:
        path = f"/v1/deals/{deal['id']}"
        for hour in (9, 7, 8, 6):
            at = f"2026-01-01T{hour:02}:00:00Z"
            await api.post(f"{path}/activities", json={"kind": "call", "occurred_at": at})
        ids = await walk(api, f"{path}/timeline")
        items = (await api.get(f"{path}/timeline")).json()["items"]

        assert ids == [item["id"] for item in items]
        assert [item["occurred_at"][11:13] for item in items[:4]] == ["06", "07", "08", "09"]

    async def test_of_reps_shows_exactly_one_fallback_owner(self, api: httpx.AsyncClient) -> None:
        await add_rep(api, "hal", fallback=True)
        reps = (await api.get("/v1/reps", params={"limit": 200})).json()["items"]

        assert [rep["name"] for rep in reps if rep["fallback"]] == ["hal"]


class TestReps:
    async def test_the_fallback_owner_cannot_be_given_up(self, api: httpx.AsyncClient) -> None:
        rep = await add_rep(api, "ida", fallback=True)
        answer = await api.patch(
            f"/v1/reps/{rep['id']}", json={"fallback": False}, headers={"If-Match": '"1"'}
        )

        assert answer.status_code == 409
        assert rule_of(answer) == "fallback-required"

    async def test_one_address_is_one_rep(self, api: httpx.AsyncClient) -> None:
        rep = await add_rep(api, "jan")
        answer = await api.post("/v1/reps", json={"name": "Jan", "email": rep["email"].upper()})

        assert answer.status_code == 409
        assert rule_of(answer) == "rep-email-taken"

    async def test_a_repeated_key_adds_one_rep(self, api: httpx.AsyncClient) -> None:
        body = {"name": "kim", "email": f"{new_id().hex}@sales.example"}
        key = {"Idempotency-Key": new_id().hex}
        answers = [await api.post("/v1/reps", json=body, headers=key) for _ in range(2)]
        other = await api.post("/v1/reps", json={**body, "name": "lea"}, headers=key)

        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].json() == answers[1].json()
        assert other.status_code == 422

    async def test_a_lost_race_is_told(self, api: httpx.AsyncClient) -> None:
        rep = await add_rep(api, "mia")
        path, seen = f"/v1/reps/{rep['id']}", {"If-Match": '"1"'}
        await api.patch(path, json={"state": "away"}, headers=seen)
        answer = await api.patch(path, json={"name": "Mia"}, headers=seen)

        assert answer.status_code == 412


class TestBadInput:
    @pytest.mark.parametrize(
        ("verb", "body", "named"),
        [
            ("stage", {}, "#/stage"),
            ("stage", {"stage": "closed"}, "#/stage"),
            ("recycle", {"reason": " "}, "#/reason"),
            ("lose", {"reason": "x" * 501}, "#/reason"),
            ("lose", {"reason": "nul\0"}, "#/reason"),
            ("win", {"amount_minor": "12", "currency": "EUR"}, "#/amount_minor"),
            ("win", {"amount_minor": -1, "currency": "EUR"}, "#/amount_minor"),
            ("win", {"amount_minor": 2**63, "currency": "EUR"}, "#/amount_minor"),
            ("win", {"amount_minor": 1, "currency": "EURO"}, "#/currency"),
            ("win", {"amount_minor": 1, "currency": "EUR", "vat": 19}, "#/vat"),
            ("reassign", {"owner_id": "me"}, "#/owner_id"),
            ("activities", {"kind": "lunch"}, "#/kind"),
            ("activities", {"kind": "call", "occurred_at": "yesterday"}, "#/occurred_at"),
            ("accept", {"rep_id": 7}, "#/rep_id"),
        ],
    )
    async def test_a_wrong_field_is_named(
        self, api: httpx.AsyncClient, deal: Deal, verb: str, body: Deal, named: str
    ) -> None:
        answer = await api.post(f"/v1/deals/{deal['id']}/{verb}", json=body)

        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [named]

    @pytest.mark.parametrize(
        ("verb", "body", "rule"),
        [
            ("activities", {"kind": "demo", "occurred_at": "2999-01-01T00:00:00Z"},
             "activity-in-the-future"),
            ("reassign", {"owner_id": str(new_id())}, "unknown-rep"),
            ("accept", {"rep_id": str(new_id())}, "unknown-rep"),
        ],
    )  # fmt: skip
    async def test_what_cannot_be_so_is_refused_by_name(
        self, api: httpx.AsyncClient, deal: Deal, verb: str, body: Deal, rule: str
    ) -> None:
        answer = await api.post(f"/v1/deals/{deal['id']}/{verb}", json=body)

        assert answer.status_code == 422
        assert rule_of(answer) == rule

    @pytest.mark.parametrize(
        "query",
        [
            "stage=closed",
            "lead_id=7",
            "outcome=maybe",
            "updated_since=yesterday",
            "limit=0",
            "limit=1000",
            "cursor=xyz",
            "ownr_id=1",
        ],
    )
    async def test_a_wrong_filter_is_named(self, api: httpx.AsyncClient, query: str) -> None:
        answer = await api.get(f"/v1/deals?{query}")

        assert answer.status_code == 422
        named = [error["parameter"] for error in answer.json()["errors"]]
        assert named == [query.partition("=")[0]]

    async def test_a_cursor_of_another_order_is_refused(
        self, api: httpx.AsyncClient, others: Others
    ) -> None:
        await others.say(qualified(), qualified())
        cursor = (await api.get("/v1/deals", params={"limit": 1})).json()["next"]
        params = {"cursor": cursor, "updated_since": "2020-01-01T00:00:00Z"}
        answer = await api.get("/v1/deals", params=params)

        assert answer.status_code == 422

    @pytest.mark.parametrize("body", [{"amount_minor": 5}, {"currency": "EUR"}])
    async def test_half_an_amount_is_refused(
        self, api: httpx.AsyncClient, deal: Deal, body: Deal
    ) -> None:
        path, any_version = f"/v1/deals/{deal['id']}", {"If-Match": "*"}
        answer = await api.patch(path, json=body, headers=any_version)

        assert answer.status_code == 422
        assert rule_of(answer) == "amount-incomplete"

    @pytest.mark.parametrize("path", ["deals", "orders", "customers", "reps"])
    async def test_an_id_that_nobody_has_is_not_found(
        self, api: httpx.AsyncClient, path: str
    ) -> None:
        answer = await api.get(f"/v1/{path}/{new_id()}")

        assert answer.status_code == 404

    @pytest.mark.parametrize("verb", ["accept", "timeline"])
    async def test_neither_is_what_hangs_on_it(self, api: httpx.AsyncClient, verb: str) -> None:
        ask = api.post if verb == "accept" else api.get

        assert (await ask(f"/v1/deals/{new_id()}/{verb}")).status_code == 404

    async def test_a_body_that_is_no_json_is_refused(
        self, api: httpx.AsyncClient, deal: Deal
    ) -> None:
        answer = await api.post(f"/v1/deals/{deal['id']}/win", content="amount=1")

        assert answer.status_code == 415


class TestKeys:
    @pytest.fixture
    async def reader(self, engine: AsyncEngine) -> dict[str, str]:
        return bearer(await make_key(engine, "deals:read"))

    async def test_a_reader_sees_deals_and_reps_and_changes_nothing(
        self, api: httpx.AsyncClient, deal: Deal, reader: dict[str, str]
    ) -> None:
        path = f"/v1/deals/{deal['id']}"
        seen = [await api.get(each, headers=reader) for each in (path, "/v1/reps", "/v1/orders")]
        changed = [
            await api.post(f"{path}/accept", headers=reader),
            await api.patch(path, json={}, headers=reader),
            await api.post("/v1/reps", json={}, headers=reader),
        ]

        assert [answer.status_code for answer in seen] == [200, 200, 200]
        assert [answer.status_code for answer in changed] == [403, 403, 403]

    async def test_nobody_without_a_key_sees_anything(self, api: httpx.AsyncClient) -> None:
        answer = await api.get("/v1/deals", headers={"Authorization": "Bearer guess"})

        assert answer.status_code == 401
