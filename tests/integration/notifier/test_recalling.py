"""What the notifier said, and its restored database does not know: no task rings a second time."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.conftest import Deal, said, task_of, timer_running
from tests.stack.voices import Others, envelope

from notifier.entrypoints.recalling import recall
from shared.clock import utc_now
from shared.contracts.task import TaskCompleted, TaskDue, TaskEvent, TaskOverdue
from shared.ids import id_from


def about(task: dict[str, Any]) -> dict[str, Any]:
    return {
        "lead_id": UUID(task["lead_id"]), "lead_version": 1, "task_id": UUID(task["id"]),
        "deal_id": UUID(task["deal_id"]), "task_kind": task["kind"], "title": task["title"],
        "occurred_at": utc_now(),
    }  # fmt: skip


async def recalled(engine: AsyncEngine, *events: TaskEvent) -> None:
    async with engine.begin() as connection:
        await recall(connection, [envelope(event, n) for n, event in enumerate(events, 2)])


@pytest.mark.parametrize(
    ("told", "state"), [([TaskDue], "due"), ([TaskDue, TaskOverdue], "overdue")]
)
async def test_what_rang_before_does_not_ring_again(
    engine: AsyncEngine,
    api: httpx.AsyncClient,
    others: Others,
    told: list[type[TaskEvent]],
    state: str,
) -> None:
    deal = Deal()
    # Its hour is over, and its hour of grace too, where it was overdue.
    await others.say(deal.opened(ago=timedelta(minutes=90 if state == "due" else 150)))
    task = await task_of(api, deal_id=deal.deal_id)

    await recalled(engine, *(each(**about(task), due_at=task["due_at"]) for each in told))
    async with timer_running(engine):
        await asyncio.sleep(1)

    assert (await task_of(api, deal_id=deal.deal_id))["state"] == state
    assert await said(engine, deal.lead_id) == ["task.created"]


async def test_what_was_done_stays_done(
    engine: AsyncEngine, api: httpx.AsyncClient, others: Others
) -> None:
    deal = Deal()
    await others.say(deal.opened())
    task = await task_of(api, deal_id=deal.deal_id)

    await recalled(engine, TaskCompleted(**about(task)))

    assert (await task_of(api, deal_id=deal.deal_id))["state"] == "completed"


async def test_a_deal_that_is_heard_of_again_has_the_task_of_before(
    api: httpx.AsyncClient, others: Others
) -> None:
    deal = Deal()
    delivery = others.deliver(deal.opened())

    await others.repeat([delivery])

    task = await task_of(api, deal_id=deal.deal_id)
    assert task["id"] == str(id_from(delivery.envelope.event_id, task["playbook_id"]))
