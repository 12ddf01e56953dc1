"""Everything that happens to leads day by day, done once through the doors of the four services."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from tests.e2e.walk import Doors, a_rep, a_source, capture, eventually, items, somebody
from tests.stack.inside import Inside

from shared.clock import utc_now

_WAIT = {"Prefer": "wait=10"}
_LEADS = 12
_NOT_HOT = {"janitor"}
"""Every five seconds, about what is parked and what is old: nobody waits for it."""


@asynccontextmanager
async def open_doors(services: Mapping[str, Inside]) -> AsyncGenerator[Doors]:
    """Run all four, workers and APIs, during a block."""
    async with AsyncExitStack() as running:
        for service in services.values():
            await running.enter_async_context(service.working(without=_NOT_HOT))
        yield Doors(*[await running.enter_async_context(each.api()) for each in services.values()])


@dataclass
class Days:
    """What people and machines do."""

    door: Doors

    async def go_by(self) -> None:
        """Do everything, and wait until it has had its effect."""
        await self._prepare()
        leads = await self._leads_come_in()
        won, lost, recycled, worked, *others = [await self._deal_of(lead) for lead in leads]
        await self._work(worked)
        await self._end(won, "win", amount_minor=120_000, currency="EUR")
        await self._end(lost, "lose", reason="price")
        await self._end(recycled, "recycle", reason="not now")
        await self._tasks_are_done(others[0])
        await self._marketing_goes_on(leads[-4:])
        await self._settle(leads)

    async def _prepare(self) -> None:
        await a_rep(self.door.pipeline)
        self.source = await a_source(self.door.intake)
        first = next(p for p in await items(self.door.notifier, "/v1/playbooks") if p["enabled"])
        path = f"/v1/playbooks/{first['id']}"
        at_once = {"due_in": 0, "grace": 0}
        tag = {"If-Match": (await self.door.notifier.get(path)).headers["ETag"]}
        _good(await self.door.notifier.patch(path, json=at_once, headers=tag))

    async def _leads_come_in(self) -> list[str]:
        """Come by every door, together and alone, once and again."""
        intake, source_id = self.door.intake, self.source["id"]
        many = [somebody(source_id=source_id) for _ in range(_LEADS)]
        leads = await asyncio.gather(*(capture(intake, each) for each in many))
        for _ in range(2):  # a repeat of a key, and of a person
            tag = {"Idempotency-Key": "once", **_WAIT}
            _good(await intake.post("/v1/leads", json=many[0], headers=tag))
        batch = {"items": [many[1], somebody(source_id=source_id, phone="+493012345678")]}
        _good(await intake.post("/v1/leads/batch", json=batch))
        form = await a_source(intake, kind="form")
        for _ in range(2):  # a visitor who clicks twice
            _good(await intake.post(form["path"], json={"email": "form@plans.example.com"}))
        await self._by_an_ad()
        return list(leads)

    async def _by_an_ad(self) -> None:
        secret = {"kind": "google_ads", "channel": "advertising", "google_key": "open sesame"}
        ads = await a_source(self.door.intake, **secret)
        columns = [{"column_id": "EMAIL", "string_value": "ada@plans.example.com"}]
        lead = {"lead_id": "L1", "google_key": "open sesame", "user_column_data": columns}
        _good(await self.door.intake.post(ads["path"], json=lead))

    async def _deal_of(self, lead_id: str) -> str:
        found = await eventually(lambda: items(self.door.pipeline, "/v1/deals", lead_id=lead_id))
        return found[0]["id"]

    async def _work(self, deal_id: str) -> None:
        pipeline, path = self.door.pipeline, f"/v1/deals/{deal_id}"
        _good(await pipeline.post(f"{path}/accept"))
        _good(await pipeline.post(f"{path}/stage", json={"stage": "proposal"}))
        _good(await pipeline.post(f"{path}/activities", json={"kind": "call", "text": "Hello"}))
        rep = await a_rep(pipeline, "Ben")
        _good(await pipeline.post(f"{path}/reassign", json={"owner_id": rep["id"]}))

    async def _end(self, deal_id: str, verb: str, **how: Any) -> None:
        tag = {"Idempotency-Key": verb}
        path = f"/v1/deals/{deal_id}"
        _good(await self.door.pipeline.post(f"{path}/accept"))
        _good(await self.door.pipeline.post(f"{path}/{verb}", json=how, headers=tag))

    async def _tasks_are_done(self, deal_id: str) -> None:
        """Ring by themselves; one is put off, another is completed."""
        notifier = self.door.notifier

        async def overdue() -> list[dict[str, Any]]:
            return await items(notifier, "/v1/tasks", deal_id=deal_id, state="overdue")

        (task,) = await eventually(overdue)
        path = f"/v1/tasks/{task['id']}"
        tomorrow = (utc_now() + timedelta(days=1)).isoformat()
        _good(await notifier.post(f"{path}/snooze", json={"until": tomorrow}))
        _good(await notifier.post(f"{path}/complete"))

    async def _marketing_goes_on(self, leads: list[str]) -> None:
        intake = self.door.intake
        merged, into, erased, told = leads
        view = {"source_id": self.source["id"], "kind": "page_view"}
        _good(await intake.post("/v1/touchpoints", json=view | {"lead_id": told}))
        consent = {"purpose": "email_marketing", "granted": False}
        _good(await intake.post(f"/v1/leads/{told}/consents", json=consent))
        _good(await intake.post(f"/v1/leads/{merged}/merge", json={"into": into}))
        _good(await intake.delete(f"/v1/leads/{erased}"))

    async def _settle(self, leads: list[str]) -> None:
        """Wait for the last to be heard by the last: its tasks are cancelled."""
        erased = leads[-2]

        async def blank() -> bool:
            found = await items(self.door.notifier, "/v1/tasks", lead_id=erased)
            return bool(found) and all(task["cause"] == "lead_erased" for task in found)

        await eventually(blank)


def _good(answer: httpx.Response) -> None:
    assert answer.is_success, answer.text
