"""Tasks come due, and overdue, at their time: once per due time, whoever runs the timer."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.conftest import (
    HOUR,
    Deal,
    said,
    task_of,
    timer_running,
)
from tests.stack.voices import Others
from tests.stack.waiting import until

from shared.clock import utc_now

SECOND = timedelta(seconds=1)
LONG_ENOUGH = 1.5
"""Seconds after which a timer that were to ring again would have: it turns twice a second."""


@pytest.fixture
def deal() -> Deal:
    return Deal()


async def ring_until(
    engine: AsyncEngine, deal: Deal, expected: list[str], *, timers: int = 1
) -> list[str]:
    """Run timers until so much is said, and a while longer; return what was said."""

    async def is_said() -> bool:
        return len(await said(engine, deal.lead_id)) >= len(expected)

    async with asyncio.TaskGroup() as group:
        for _ in range(timers):
            group.create_task(_ring(engine, is_said))
    return await said(engine, deal.lead_id)


async def _ring(engine: AsyncEngine, is_said: Any) -> None:
    async with timer_running(engine):
        await until(is_said)
        await asyncio.sleep(LONG_ENOUGH)


async def snooze(api: httpx.AsyncClient, task: dict[str, Any], by: timedelta) -> None:
    until = (utc_now() + by).isoformat()
    answer = await api.post(f"/v1/tasks/{task['id']}/snooze", json={"until": until})
    assert answer.status_code == 200, answer.text


class TestDue:
    async def test_a_task_is_due_once_and_only_at_its_time(
        self, api: httpx.AsyncClient, others: Others, engine: AsyncEngine, deal: Deal
    ) -> None:
        await others.say(deal.opened(ago=HOUR - 4 * SECOND))
        early = await ring_until(engine, deal, ["task.created"])
        later = await ring_until(engine, deal, ["task.created", "task.due"])

        assert early == ["task.created"]
        assert later == ["task.created", "task.due"]
        assert (await task_of(api, lead_id=deal.lead_id))["state"] == "due"

    async def test_a_task_whose_grace_is_over_is_overdue_once(
        self, api: httpx.AsyncClient, others: Others, engine: AsyncEngine, deal: Deal
    ) -> None:
        await others.say(deal.opened(ago=2 * HOUR - SECOND))
        expected = ["task.created", "task.due", "task.overdue"]

        assert await ring_until(engine, deal, expected) == expected
        assert (await task_of(api, lead_id=deal.lead_id))["state"] == "overdue"

    async def test_two_workers_ring_once_and_so_does_one_that_starts_again(
        self, others: Others, engine: AsyncEngine, deal: Deal
    ) -> None:
        await others.say(deal.opened(ago=3 * HOUR))
        expected = ["task.created", "task.due", "task.overdue"]
        await ring_until(engine, deal, expected, timers=3)

        assert await ring_until(engine, deal, expected) == expected

    async def test_what_was_closed_in_time_never_rings(
        self, others: Others, engine: AsyncEngine, deal: Deal
    ) -> None:
        await others.say(deal.moved("proposal", ago=timedelta(days=9)), deal.recycled())
        expected = ["task.created", "task.created"]

        assert await ring_until(engine, deal, expected) == expected


class TestSnooze:
    async def test_a_snoozed_task_is_due_again_at_its_new_time(
        self, api: httpx.AsyncClient, others: Others, engine: AsyncEngine, deal: Deal
    ) -> None:
        await others.say(deal.opened(ago=HOUR))
        await ring_until(engine, deal, ["task.created", "task.due"])
        await snooze(api, await task_of(api, lead_id=deal.lead_id, state="due"), SECOND)
        expected = ["task.created", "task.due", "task.due"]

        assert await ring_until(engine, deal, expected) == expected

    async def test_a_task_snoozed_before_its_time_does_not_ring_at_the_old_one(
        self, api: httpx.AsyncClient, others: Others, engine: AsyncEngine, deal: Deal
    ) -> None:
        await others.say(deal.opened(ago=HOUR - SECOND))
        await snooze(api, await task_of(api, lead_id=deal.lead_id), HOUR)

        assert await ring_until(engine, deal, ["task.created"]) == ["task.created"]
