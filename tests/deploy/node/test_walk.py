"""What people do first with an installation does what deploy/README.md says."""

from typing import Any

import pytest
from tests.deploy.apiserver.cluster import NAMESPACE
from tests.deploy.node.installed import Installed
from tests.e2e.walk import a_rep, a_source, capture, doors, eventually, items, somebody

from handoff.services import SERVICES

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


def test_a_look_from_within_finds_all_in_order(installed: Installed) -> None:
    found = installed.handoff("doctor").splitlines()

    assert [line for line in found if not line.startswith("✓ ")] == []
    for service in SERVICES:
        assert f"✓ {service.name}: API answers" in found
        assert any(line.startswith(f"✓ {service.name}: database answers") for line in found)
    assert "✓ topics are as the catalogue has them" in found


def test_a_look_from_within_tells_what_is_off_and_what_mends_it(installed: Installed) -> None:
    crossed = "HANDOFF_API_URL_NOTIFIER=http://lead-scoring-api"
    told = installed.cluster.ask(
        *("exec", "--namespace", NAMESPACE, "deployment/operations"),
        *("--", "env", crossed, "handoff", "doctor"),
    )

    assert told.returncode == 1
    assert [line for line in told.stdout.splitlines() if not line.startswith("✓ ")] == [
        "✗ HANDOFF_API_URL_NOTIFIER leads to lead-scoring: name the API of notifier"
    ]


def test_the_topics_are_as_they_should_be(installed: Installed) -> None:
    assert installed.handoff("topics", "check")
