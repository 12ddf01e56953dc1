"""What people do first with an installation does what deploy/README.md says."""

from typing import Any

import pytest
from tests.deploy.node.installed import Installed
from tests.e2e.walk import a_rep, a_source, capture, doors, eventually, items, somebody

pytestmark = pytest.mark.timeout(1200)  # the first of them waits for the node


async def test_one_lead_walks_to_its_task_through_the_services(installed: Installed) -> None:
    async with doors(installed) as door:
        await a_rep(door.pipeline)
        source = await a_source(door.intake)
        lead_id = await capture(door.intake, somebody(source_id=source["id"]))

        async def first_contact() -> dict[str, Any] | None:
            found = await items(door.notifier, "/v1/tasks", lead_id=lead_id)
            return next((task for task in found if task["kind"] == "first_contact"), None)

        task = await eventually(first_contact, seconds=60)

    assert task["state"] == "open"
    assert "submission received" in installed.handoff("trace", lead_id)


def test_the_topics_are_as_they_should_be(installed: Installed) -> None:
    assert installed.handoff("topics", "check")
