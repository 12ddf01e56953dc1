"""What people do about tasks, and what they are told when they may not."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.conftest import (
    Deal,
    rep_changed,
    rule_of,
    said,
    task_of,
    tasks_of,
)
from tests.stack.keys import bearer, make_key
from tests.stack.voices import Others

from shared.clock import utc_now
from shared.ids import new_id


@pytest.fixture
def deal() -> Deal:
    return Deal()


@pytest.fixture
async def task(api: httpx.AsyncClient, others: Others, deal: Deal) -> dict[str, Any]:
    await others.say(deal.opened())
    return await task_of(api, lead_id=deal.lead_id)


def in_days(days: int) -> str:
    return (utc_now() + timedelta(days=days)).isoformat()


class TestComplete:
    async def test_is_said_once_however_often_it_is_sent(
        self, api: httpx.AsyncClient, engine: AsyncEngine, deal: Deal, task: dict[str, Any]
    ) -> None:
        answers = [await api.post(f"/v1/tasks/{task['id']}/complete") for _ in range(2)]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert [answer.json()["state"] for answer in answers] == ["completed"] * 2
        assert answers[0].json()["finished_at"] == answers[1].json()["finished_at"]
        assert await said(engine, deal.lead_id) == ["task.created", "task.completed"]

    async def test_of_a_cancelled_task_names_the_rule(
        self, api: httpx.AsyncClient, others: Others, deal: Deal, task: dict[str, Any]
    ) -> None:
        await others.say(deal.lost())
        answer = await api.post(f"/v1/tasks/{task['id']}/complete")

        assert answer.status_code == 409
        assert rule_of(answer) == "cancelled-task-stays-cancelled"
        assert "deal_closed" in answer.json()["detail"]

    async def test_after_somebody_else_changed_it_is_refused_where_asked_to(
        self, api: httpx.AsyncClient, task: dict[str, Any]
    ) -> None:
        path = f"/v1/tasks/{task['id']}"
        seen = (await api.get(path)).headers["ETag"]
        await api.post(f"{path}/snooze", json={"until": in_days(1)})
        answer = await api.post(f"{path}/complete", headers={"If-Match": seen})

        assert answer.status_code == 412
        assert (await api.get(path)).json()["state"] == "open"


class TestSnooze:
    async def test_moves_the_due_time(self, api: httpx.AsyncClient, task: dict[str, Any]) -> None:
        until = "2027-01-04T09:00:00Z"
        answer = await api.post(f"/v1/tasks/{task['id']}/snooze", json={"until": until})

        assert answer.status_code == 200
        assert answer.json()["due_at"] == until

    @pytest.mark.parametrize("days", [-1, 400])
    async def test_to_a_time_that_cannot_be_waited_for_names_the_field(
        self, api: httpx.AsyncClient, task: dict[str, Any], days: int
    ) -> None:
        answer = await api.post(f"/v1/tasks/{task['id']}/snooze", json={"until": in_days(days)})

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "#/until"

    async def test_of_a_completed_task_names_the_rule(
        self, api: httpx.AsyncClient, task: dict[str, Any]
    ) -> None:
        await api.post(f"/v1/tasks/{task['id']}/complete")
        answer = await api.post(f"/v1/tasks/{task['id']}/snooze", json={"until": in_days(1)})

        assert answer.status_code == 409
        assert rule_of(answer) == "completed-task-stays-completed"


class TestReassign:
    async def test_gives_it_to_a_rep_who_is_known(
        self, api: httpx.AsyncClient, others: Others, task: dict[str, Any]
    ) -> None:
        rep_id = new_id()
        await others.say(rep_changed(rep_id, "Grace"), rep_changed(rep_id, "Admiral", version=2))
        body = {"owner_id": str(rep_id)}
        answer = await api.post(f"/v1/tasks/{task['id']}/reassign", json=body)

        assert answer.status_code == 200
        assert answer.json()["owner_id"] == str(rep_id)
        assert answer.json()["owner_name"] == "Admiral"

    async def test_to_nobody_who_is_known_names_the_field(
        self, api: httpx.AsyncClient, task: dict[str, Any]
    ) -> None:
        body = {"owner_id": str(new_id())}
        answer = await api.post(f"/v1/tasks/{task['id']}/reassign", json=body)

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "#/owner_id"


class TestList:
    async def test_walks_all_pages_in_the_order_of_due_times(
        self, api: httpx.AsyncClient, others: Others
    ) -> None:
        owner_id = new_id()
        deals = [Deal(owner_id=owner_id) for _ in range(7)]
        for number, deal in enumerate(deals):
            await others.say(deal.opened(ago=timedelta(minutes=number)))
        done = await tasks_of(api, owner_id=owner_id, limit=2)
        await api.post(f"/v1/tasks/{done[1]['id']}/complete")

        found: list[UUID] = []
        cursor: str | None = None
        while cursor is not None or not found:
            query = {"owner_id": str(owner_id), "limit": 3} | ({"cursor": cursor} if cursor else {})
            page = (await api.get("/v1/tasks", params=query)).json()
            found += [UUID(item["lead_id"]) for item in page["items"]]
            cursor = page["next"]
        assert found == [deal.lead_id for deal in reversed(deals)]

    async def test_filters_by_states_and_by_due_time(
        self, api: httpx.AsyncClient, others: Others, deal: Deal, task: dict[str, Any]
    ) -> None:
        await others.say(deal.won())
        lead = deal.lead_id
        two_days = in_days(2)

        waiting = await tasks_of(api, lead_id=lead, state=["open", "due"])
        soon = await tasks_of(api, lead_id=lead, due_before=two_days, state="open")
        cancelled = await tasks_of(api, deal_id=deal.deal_id, state="cancelled")
        assert [each["kind"] for each in waiting] == ["welcome_call", "check_in"]
        assert [each["kind"] for each in soon] == ["welcome_call"]
        assert [each["id"] for each in cancelled] == [task["id"]]

    @pytest.mark.parametrize(
        ("query", "parameter"),
        [
            ({"owner_id": "me"}, "owner_id"),
            ({"state": "done"}, "state"),
            ({"due_before": "tomorrow"}, "due_before"),
            ({"due_before": "2026-01-01T00:00:00"}, "due_before"),
            ({"limit": "0"}, "limit"),
            ({"cursor": "x"}, "cursor"),
            ({"ownerid": str(new_id())}, "ownerid"),
        ],
    )
    async def test_a_wrong_parameter_is_named(
        self, api: httpx.AsyncClient, query: dict[str, str], parameter: str
    ) -> None:
        answer = await api.get("/v1/tasks", params=query)

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["parameter"].startswith(parameter)


class TestDoors:
    async def test_an_unknown_task_is_404_at_every_door(self, api: httpx.AsyncClient) -> None:
        path = f"/v1/tasks/{new_id()}"
        owner = {"owner_id": str(new_id())}
        answers = [
            await api.get(path),
            await api.post(f"{path}/complete"),
            await api.post(f"{path}/snooze", json={"until": in_days(1)}),
            await api.post(f"{path}/reassign", json=owner),
        ]

        assert [answer.status_code for answer in answers] == [404] * 4

    @pytest.mark.parametrize(
        ("verb", "body", "pointer"),
        [
            ("snooze", {}, "#/until"),
            ("snooze", {"until": 5}, "#/until"),
            ("snooze", {"until": "2027-01-04T09:00:00Z", "by": "me"}, "#/by"),
            ("reassign", {"owner_id": "Grace"}, "#/owner_id"),
            ("reassign", {"owner_id": None}, "#/owner_id"),
        ],
    )
    async def test_a_wrong_field_is_named(
        self,
        api: httpx.AsyncClient,
        task: dict[str, Any],
        verb: str,
        body: dict[str, Any],
        pointer: str,
    ) -> None:
        answer = await api.post(f"/v1/tasks/{task['id']}/{verb}", json=body)

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == pointer

    async def test_reading_needs_a_key_and_writing_its_scope(
        self, api: httpx.AsyncClient, engine: AsyncEngine, task: dict[str, Any]
    ) -> None:
        reader = bearer(await make_key(engine, "tasks:read"))
        path = f"/v1/tasks/{task['id']}"

        assert (await api.get(path, headers={"Authorization": ""})).status_code == 401
        assert (await api.get(path, headers=reader)).status_code == 200
        assert (await api.post(f"{path}/complete", headers=reader)).status_code == 403
