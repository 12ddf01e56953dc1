"""Scorecards are written, changed and published by API; leads are scored by the active one."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.lead_scoring.conftest import World, a_card, a_touchpoint
from tests.stack.keys import bearer, make_key

from shared.contracts.lead import LeadCaptured, LeadUpdated, TouchpointRecorded
from shared.ids import new_id

COMPANY = {
    "code": "company",
    "text": "Company is known",
    "group": "fit",
    "points": 30,
    "when": [{"field": "company", "operator": "present"}],
}
VISIT = {
    "code": "visit",
    "text": "Visited",
    "group": "engagement",
    "points": 7,
    "when": [{"field": "kind", "operator": "in", "value": "PAGE_VIEW"}],
    "repeat": "each",
    "max_times": 2,
}


def a_draft(**parts: Any) -> dict[str, Any]:
    return {
        "name": "Small",
        "threshold": 40,
        "fit_cuts": [30, 20, 10],
        "engagement_cuts": [30, 20, 10],
        "rules": [COMPANY, VISIT],
        **parts,
    }


async def drafted(api: httpx.AsyncClient, **parts: Any) -> httpx.Response:
    answer = await api.post("/v1/scorecards", json=a_draft(**parts))
    assert answer.status_code == 201, answer.text
    return answer


async def active(api: httpx.AsyncClient) -> dict[str, Any]:
    answer = await api.get("/v1/scorecards", params={"state": "active"})
    (item,) = answer.json()["items"]
    return item


async def publish(api: httpx.AsyncClient, scorecard_id: str) -> httpx.Response:
    return await api.post(f"/v1/scorecards/{scorecard_id}/publish")


class TestDrafts:
    async def test_a_draft_is_created_and_read_back(self, api: httpx.AsyncClient) -> None:
        created = await drafted(api)
        found = await api.get(created.headers["Location"])

        assert found.json() == created.json()
        assert found.headers["ETag"] == created.headers["ETag"] == '"1"'
        assert (found.json()["state"], found.json()["version"]) == ("draft", None)
        assert found.json()["rules"][1]["when"][0]["value"] == ["page_view"]

    async def test_the_same_idempotency_key_creates_one(self, api: httpx.AsyncClient) -> None:
        headers = {"Idempotency-Key": str(new_id())}
        answers = [
            await api.post("/v1/scorecards", json=a_draft(), headers=headers) for _ in range(2)
        ]
        other = await api.post("/v1/scorecards", json=a_draft(threshold=9), headers=headers)

        assert answers[0].json()["id"] == answers[1].json()["id"]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert other.status_code == 422

    async def test_a_draft_is_changed_by_who_saw_its_last_revision(
        self, api: httpx.AsyncClient
    ) -> None:
        created = await drafted(api)
        path = created.headers["Location"]
        change = {"threshold": 55, "rules": [COMPANY]}
        changed = await api.patch(path, json=change, headers={"If-Match": '"1"'})
        lost = await api.patch(path, json={"threshold": 1}, headers={"If-Match": '"1"'})
        blind = await api.patch(path, json={"threshold": 1})
        found = (await api.get(path)).json()

        assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
        assert (lost.status_code, blind.status_code) == (412, 428)
        assert (found["threshold"], found["rule_count"], found["name"]) == (55, 1, "Small")

    async def test_scorecards_are_listed_in_pages_newest_first(
        self, api: httpx.AsyncClient
    ) -> None:
        made = [(await drafted(api)).json()["id"] for _ in range(3)]
        first = (await api.get("/v1/scorecards", params={"limit": 2})).json()
        second = (
            await api.get("/v1/scorecards", params={"limit": 2, "cursor": first["next"]})
        ).json()

        assert [item["id"] for item in first["items"]] == [made[2], made[1]]
        assert second["items"][0]["id"] == made[0]


class TestPublishing:
    async def test_the_published_one_is_the_only_active_one(self, api: httpx.AsyncClient) -> None:
        before = await active(api)
        draft = (await drafted(api)).json()
        answer = await publish(api, draft["id"])
        after = await active(api)
        retired = (await api.get(f"/v1/scorecards/{before['id']}")).json()

        assert answer.status_code == 200
        assert (after["id"], after["version"]) == (draft["id"], before["version"] + 1)
        assert retired["state"] == "retired"

    async def test_what_is_published_never_changes(
        self, api: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        draft = (await drafted(api)).json()
        published = (await publish(api, draft["id"])).json()
        path = f"/v1/scorecards/{draft['id']}"
        again = await publish(api, draft["id"])
        change = await api.patch(path, json={"threshold": 1}, headers={"If-Match": "*"})

        assert (again.status_code, change.status_code) == (409, 409)
        assert change.json()["type"].endswith("scorecard-published")
        assert (await api.get(path)).json() == published
        for statement in ("UPDATE scorecard SET book = '{}' WHERE id = :id",
                          "DELETE FROM scorecard WHERE id = :id"):  # fmt: skip
            with pytest.raises(DBAPIError, match="is published"):
                async with engine.begin() as connection:
                    await connection.execute(text(statement), {"id": UUID(draft["id"])})

    async def test_a_lead_is_scored_anew_as_it_is_next_heard(
        self, world: World, api: httpx.AsyncClient
    ) -> None:
        lead = new_id()
        visit = a_touchpoint(kind="page_view")
        seen = TouchpointRecorded(lead_id=lead, lead_version=1, touchpoint=visit)
        card = a_card()
        capture = LeadCaptured(lead_id=lead, lead_version=1, lead=card, touchpoint=a_touchpoint())
        first = await world.say(capture, seen, seen, seen)
        await publish(api, (await drafted(api)).json()["id"])
        before = (await api.get(f"/v1/scores/{lead}")).json()
        await world.say(LeadUpdated(lead_id=lead, lead_version=2, lead=a_card(first_name="Ada")))
        after = (await api.get(f"/v1/scores/{lead}")).json()

        assert before["scorecard"]["version"] < after["scorecard"]["version"]
        assert [(e["code"], e["points"]) for e in after["entries"]] == [
            ("company", 30),
            ("visit", 7),
            ("visit", 7),
        ]
        assert [e["event_id"] for e in after["entries"][1:]] == [
            str(envelope.event_id) for envelope in first[1:3]
        ]
        assert (after["score"], after["scorecard"]["threshold"]) == (44, 40)


class TestBadInput:
    @pytest.mark.parametrize(
        ("pointer", "body"),
        [
            ("#/name", a_draft(name="")),
            ("#/threshold", a_draft(threshold=101)),
            ("#/threshold", a_draft(threshold="50")),
            ("#/fit_cuts", a_draft(fit_cuts=[1, 2])),
            ("#/fit_cuts", a_draft(fit_cuts=[1, 2, 3])),
            ("#/rules", a_draft(rules=[])),
            ("#/rules/0/points", a_draft(rules=[{**COMPANY, "points": 1000}])),
            ("#/rules/0/code", a_draft(rules=[{**COMPANY, "code": "Not This"}])),
            ("#/rules/1/code", a_draft(rules=[{**COMPANY, "code": "x"}, COMPANY, COMPANY])),
            ("#/rules/0/group", a_draft(rules=[{**COMPANY, "group": "clamp"}])),
            ("#/rules/0/when", a_draft(rules=[{**COMPANY, "when": []}])),
            (
                "#/rules/0/when/0/field",
                a_draft(rules=[{**COMPANY, "when": [{"field": "iq", "operator": "present"}]}]),
            ),
            (
                "#/rules/0/when/0/operator",
                a_draft(rules=[{**COMPANY, "when": [{"field": "email", "operator": "~"}]}]),
            ),
            (
                "#/rules/0/when/0/value",
                a_draft(rules=[{**COMPANY, "when": [{"field": "email", "operator": "in"}]}]),
            ),
            ("#/rulez", a_draft(rulez=[])),
        ],
    )
    async def test_a_wrong_field_is_named(
        self, api: httpx.AsyncClient, pointer: str, body: dict[str, Any]
    ) -> None:
        answer = await api.post("/v1/scorecards", json=body)

        assert answer.status_code == 422
        assert pointer in [error["pointer"] for error in answer.json()["errors"]]

    @pytest.mark.parametrize(
        ("status", "content", "kind"),
        [
            (400, b"{", "application/json"),
            (415, b"{}", "text/plain"),
            (422, b"[]", "application/json"),
            (422, b'{"name": "a\\u0000b"}', "application/json"),
        ],
    )
    async def test_what_is_no_scorecard_at_all_is_refused(
        self, api: httpx.AsyncClient, status: int, content: bytes, kind: str
    ) -> None:
        headers = {"Content-Type": kind}
        answer = await api.post("/v1/scorecards", content=content, headers=headers)

        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"

    async def test_an_unknown_scorecard_is_not_found(self, api: httpx.AsyncClient) -> None:
        path = f"/v1/scorecards/{new_id()}"
        answers = [
            await api.get(path),
            await api.patch(path, json={"threshold": 3}, headers={"If-Match": "*"}),
            await api.post(f"{path}/publish"),
        ]

        assert [answer.status_code for answer in answers] == [404, 404, 404]

    async def test_a_key_without_the_scope_may_read_and_not_write(
        self, api: httpx.AsyncClient, engine: AsyncEngine
    ) -> None:
        reader = bearer(await make_key(engine, "scores:read"))
        answers = [
            await api.get("/v1/scorecards", headers=reader),
            await api.post("/v1/scorecards", json=a_draft(), headers=reader),
            await api.get("/v1/scorecards", headers={"Authorization": "Bearer no"}),
        ]

        assert [answer.status_code for answer in answers] == [200, 403, 401]
