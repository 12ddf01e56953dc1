"""The notifier on a real database: its API over ASGI, its timer, and what others say to it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.stack.fixtures import DatabaseFor
from tests.stack.keys import bearer, make_key
from tests.stack.voices import SINCE_LONG_AGO, Others

from notifier.entrypoints.api import build_api
from notifier.entrypoints.context import Context
from notifier.entrypoints.timer import TaskTimer
from notifier.entrypoints.worker import NotifierHearer
from shared.clock import utc_now
from shared.contracts.deal import (
    DealLost,
    DealOpened,
    DealReassigned,
    DealRecycled,
    DealStageChanged,
    DealWon,
    Money,
    RepChanged,
)
from shared.contracts.lead import LeadCard
from shared.ids import new_id
from shared.messaging.batch import Batch
from shared.messaging.timers import TimerLoop
from shared.telemetry.heartbeat import Heartbeat
from shared.web.keys import Keyring

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
async def database_url(database_for: DatabaseFor) -> str:
    return await database_for("notifier")


@pytest.fixture(scope="module")
async def api(engine: AsyncEngine) -> AsyncGenerator[httpx.AsyncClient]:
    """Speaks to the API, with all scopes."""
    app = build_api(Context(engine=engine, keyring=Keyring(engine)))
    headers = bearer(await make_key(engine, "tasks:read", "tasks:write"))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://notifier", headers=headers
    ) as client:
        yield client


@pytest.fixture
def others(engine: AsyncEngine) -> Others:
    return Others(Batch(engine, NotifierHearer(), SINCE_LONG_AGO))


@dataclass(frozen=True)
class Deal:
    """A deal of sales', and what sales says of it."""

    lead_id: UUID = field(default_factory=new_id)
    deal_id: UUID = field(default_factory=new_id)
    owner_id: UUID = field(default_factory=new_id)

    def opened(self, *, ago: timedelta = timedelta(), reopened: bool = False) -> DealOpened:
        card = LeadCard(first_name="Ada", last_name="Lovelace", email="ada@engine.example")
        return DealOpened(
            **self._of(ago), lead=card, stage="new", score=70, grade="B2", reopened=reopened
        )

    def moved(self, to_stage: str, *, ago: timedelta = timedelta()) -> DealStageChanged:
        return DealStageChanged(**self._of(ago), from_stage="demo", to_stage=to_stage)

    def reassigned(self, owner_id: UUID) -> DealReassigned:
        told = self._of(timedelta()) | {"owner_id": owner_id}
        return DealReassigned(**told, previous_owner_id=self.owner_id)

    def won(self) -> DealWon:
        return DealWon(**self._of(timedelta()), amount=Money(amount_minor=9_900, currency="EUR"))

    def lost(self) -> DealLost:
        return DealLost(**self._of(timedelta()), reason="price", stage="demo")

    def recycled(self) -> DealRecycled:
        return DealRecycled(**self._of(timedelta()), reason="no budget", stage="new")

    def _of(self, ago: timedelta) -> dict[str, Any]:
        return {
            "lead_id": self.lead_id,
            "lead_version": 1,
            "deal_id": self.deal_id,
            "owner_id": self.owner_id,
            "occurred_at": utc_now() - ago,
        }


def rep_changed(rep_id: UUID, name: str = "Grace Hopper", version: int = 1) -> RepChanged:
    return RepChanged(
        rep_id=rep_id, rep_version=version, name=name, email="grace@sales.example",
        state="active", changed_at=utc_now(),
    )  # fmt: skip


async def tasks_of(
    api: httpx.AsyncClient,
    **query: Any,
) -> list[dict[str, Any]]:
    answer = await api.get("/v1/tasks", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def task_of(
    api: httpx.AsyncClient,
    **query: Any,
) -> dict[str, Any]:
    """Return the only task that the query finds."""
    (task,) = await tasks_of(api, **query)
    return task


async def said(engine: AsyncEngine, lead_id: UUID) -> list[str]:
    """Return what the notifier said of a lead, in its order."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT name FROM story WHERE subject = :id AND kind = 'said' ORDER BY sequence"),
            {"id": lead_id},
        )
        return [row.name.removesuffix(".v1") for row in rows]


@asynccontextmanager
async def timer_running(engine: AsyncEngine) -> AsyncGenerator[None]:
    """Let one worker's timer run for the block."""
    stop = asyncio.Event()
    timer = TaskTimer()
    running = asyncio.create_task(TimerLoop(engine, timer, Heartbeat(timer.name)).run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


def rule_of(answer: httpx.Response) -> str:
    """Return the name of the rule that an answer says was broken."""
    return answer.json()["type"].rpartition(":")[2]
