"""A release that fails on everything stops at its breaker, and its fix gets past it."""

import asyncio
import json
from typing import Any

import pytest
from tests.deploy import images
from tests.deploy.node.images import BROKEN
from tests.deploy.node.installed import Installed
from tests.e2e.walk import a_rep, a_source, capture, doors, eventually, items, somebody

pytestmark = pytest.mark.timeout(1200)
_WORKER = "statefulset/notifier-worker"
_MORE_THAN_A_BREAKER_TAKES = 25
_STANDS_WITHIN = 180.0


async def test_a_fix_gets_past_workers_whose_breaker_is_open(installed: Installed) -> None:
    installed.do("scale", _WORKER, "--replicas=2")
    await _roll_out(installed, BROKEN)
    async with doors(installed) as door:
        await a_rep(door.pipeline)
        source = (await a_source(door.intake))["id"]
        leads = [await capture(door.intake, somebody(source_id=source))
                 for _ in range(_MORE_THAN_A_BREAKER_TAKES)]  # fmt: skip
        await eventually(
            lambda: asyncio.to_thread(_none_is_ready, installed), seconds=_STANDS_WITHIN
        )
        opened = json.loads(installed.handoff("breaker", "list", "--json"))
        await _roll_out(installed, images.tag("notifier"))
        causes = json.loads(installed.handoff("parked", "list", "--by-cause", "--json"))
        for cause in {each["cause"] for each in causes}:
            installed.handoff("parked", "release", "--cause", cause, "--yes")

        async def all_have_tasks() -> bool:
            found = [await items(door.notifier, "/v1/tasks", lead_id=lead) for lead in leads]
            return all(found)

        await eventually(all_have_tasks, seconds=60)
    report = json.loads(installed.handoff("audit", "--wait", "60", "--json"))

    assert [each["state"] for each in opened if each["service"] == "notifier"].count("open") == 1
    assert report["balanced"]


async def _roll_out(installed: Installed, image: str) -> None:
    installed.do("set", "image", _WORKER, f"handoff={image}")
    assert await asyncio.to_thread(installed.left_undone) == []


def _none_is_ready(installed: Installed) -> bool:
    status: dict[str, Any] = json.loads(installed.do("get", _WORKER, "--output=json"))["status"]
    return status.get("readyReplicas", 0) == 0
