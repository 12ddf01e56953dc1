"""People write playbooks; what could never work is refused with the field and the fix."""

from typing import Any

import httpx
import pytest
from tests.integration.notifier.conftest import Deal, tasks_of
from tests.stack.voices import Others

from shared.ids import new_id

SEND_DEMO = {
    "name": "send recording",
    "event": "deal.stage_changed",
    "condition": {"stage": "demo"},
    "task_kind": "send_recording",
    "title": "Send {name} the recording after {from_stage}",
    "due_in": "PT2H",
    "grace": 1800,
}


async def kinds_of(api: httpx.AsyncClient, deal: Deal) -> list[str]:
    return [task["kind"] for task in await tasks_of(api, lead_id=deal.lead_id)]


class TestAdd:
    async def test_a_new_playbook_makes_tasks_from_then_on(
        self, api: httpx.AsyncClient, others: Others
    ) -> None:
        deal = Deal()
        answer = await api.post("/v1/playbooks", json=SEND_DEMO)
        await others.say(deal.moved("demo"))

        assert answer.status_code == 201
        assert (await api.get(answer.headers["Location"])).json() == answer.json()
        assert (answer.json()["due_in"], answer.json()["grace"]) == ("PT2H", "PT30M")
        (task,) = [
            task
            for task in await tasks_of(api, lead_id=deal.lead_id)
            if task["playbook_id"] == answer.json()["id"]
        ]
        assert task["title"] == "Send a lead without a name the recording after demo"

    async def test_the_same_request_twice_makes_one(self, api: httpx.AsyncClient) -> None:
        headers = {"Idempotency-Key": str(new_id())}
        first = await api.post("/v1/playbooks", json=SEND_DEMO, headers=headers)
        second = await api.post("/v1/playbooks", json=SEND_DEMO, headers=headers)
        other = await api.post("/v1/playbooks", json=SEND_DEMO | {"name": "x"}, headers=headers)

        assert first.json() == second.json()
        assert other.status_code == 422

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"name": ""}, "#/name"),
            ({"name": "a\x00b"}, "#/name"),
            ({"event": "deal.begun"}, "#/event"),
            ({"condition": {"amount": "5"}}, "#/condition/amount"),
            ({"condition": {"stage": 5}}, "#/condition/stage"),
            ({"condition": "demo"}, "#/condition"),
            ({"task_kind": "Send It"}, "#/task_kind"),
            ({"title": "Call {nick}"}, "#/title"),
            ({"title": "Call {name.__class__}"}, "#/title"),
            ({"due_in": "soon"}, "#/due_in"),
            ({"due_in": -1}, "#/due_in"),
            ({"due_in": 1.5}, "#/due_in"),
            ({"due_in": "P9999999999999D"}, "#/due_in"),
            ({"grace": "P400D"}, "#/grace"),
            ({"grace": None}, "#/grace"),
            ({"role": "anybody"}, "#/role"),
            ({"enabled": "maybe"}, "#/enabled"),
            ({"colour": "red"}, "#/colour"),
        ],
    )
    async def test_a_wrong_field_is_named(
        self, api: httpx.AsyncClient, change: dict[str, Any], pointer: str
    ) -> None:
        answer = await api.post("/v1/playbooks", json=SEND_DEMO | change)

        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"] == pointer


class TestChange:
    async def test_a_playbook_that_is_switched_off_makes_no_tasks(
        self, api: httpx.AsyncClient, others: Others
    ) -> None:
        made = await api.post("/v1/playbooks", json=SEND_DEMO | {"task_kind": "short_lived"})
        before, after = Deal(), Deal()
        await others.say(before.moved("demo"))
        answer = await api.patch(
            made.headers["Location"],
            json={"enabled": False},
            headers={"If-Match": made.headers["ETag"]},
        )
        await others.say(after.moved("demo"))

        assert answer.status_code == 200
        assert answer.json()["name"] == SEND_DEMO["name"]
        assert "short_lived" in await kinds_of(api, before)
        assert "short_lived" not in await kinds_of(api, after)

    async def test_needs_the_version_that_was_seen(self, api: httpx.AsyncClient) -> None:
        made = await api.post("/v1/playbooks", json=SEND_DEMO | {"enabled": False})
        path, seen = made.headers["Location"], {"If-Match": made.headers["ETag"]}
        blind = await api.patch(path, json={"grace": "PT1H"})
        first = await api.patch(path, json={"grace": "PT1H"}, headers=seen)
        late = await api.patch(path, json={"grace": "PT9H"}, headers=seen)

        statuses = [answer.status_code for answer in (blind, first, late)]
        assert statuses == [428, 200, 412]
        assert (await api.get(path)).json()["grace"] == "PT1H"

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"event": "deal.won"}, "#/condition/stage"),
            ({"title": "{reason}"}, "#/title"),
            ({"title": None}, "#/title"),
            ({"due_in": ""}, "#/due_in"),
        ],
    )
    async def test_to_what_could_never_work_names_the_field(
        self, api: httpx.AsyncClient, change: dict[str, Any], pointer: str
    ) -> None:
        made = await api.post("/v1/playbooks", json=SEND_DEMO | {"enabled": False})
        answer = await api.patch(
            made.headers["Location"], json=change, headers={"If-Match": made.headers["ETag"]}
        )

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == pointer

    async def test_of_what_there_is_not_is_404(self, api: httpx.AsyncClient) -> None:
        path = f"/v1/playbooks/{new_id()}"
        answers = [
            await api.get(path),
            await api.patch(path, json={"enabled": False}, headers={"If-Match": "*"}),
        ]

        assert [answer.status_code for answer in answers] == [404, 404]


class TestList:
    async def test_shows_the_defaults_first_page_by_page(self, api: httpx.AsyncClient) -> None:
        first = (await api.get("/v1/playbooks", params={"limit": 4})).json()
        query = {"limit": 4, "cursor": first["next"]}
        second = (await api.get("/v1/playbooks", params=query)).json()

        names = [item["name"] for item in (*first["items"], *second["items"])]
        assert names[:6] == [
            "first contact",
            "nurture",
            "follow up",
            "welcome call",
            "check in",
            "ask why",
        ]
