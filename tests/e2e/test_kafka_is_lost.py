"""Kafka is lost as a whole, as with a cluster; the databases are there, all of one moment."""

import shutil
from typing import Any
from uuid import UUID

import pytest
from tests.e2e.test_replaying import SERVICES, forget, replay, tasks, total
from tests.e2e.walk import a_rep, a_source, capture, doors, eventually, somebody
from tests.stack.system import System, running

pytestmark = pytest.mark.timeout(400)  # it comes up twice
LEADS = 6
_BEFORE_ALL = "2026-01-01T00:00:00Z"


async def test_what_was_on_its_way_is_heard_from_the_archives_while_leads_come_in() -> None:
    with running() as system:
        people = await sources_and_people(system)
        ids = await post(system, people)
        before = await all_have_tasks(system, ids)
        await forget(system, ids)  # it had yet to hear all of that
        lose_kafka(system)
        again = await post(system, [{**each, "message": "Once more"} for each in people])
        sent = [replay(system, "republish", "--service", service, "--since", _BEFORE_ALL)
                for service in SERVICES]  # fmt: skip
        after = await all_have_tasks(system, ids)
        audit = system.handoff("audit", check=False)

    assert again == ids
    assert after == before
    assert all(total(order, "sent") for order in sent)
    assert audit.returncode == 0, audit.stdout


async def sources_and_people(system: System) -> list[dict[str, Any]]:
    """Return people who are about to ask, where somebody can sell."""
    async with doors(system) as door:
        await a_rep(door.pipeline)
        source = await a_source(door.intake)
    return [somebody(source_id=source["id"]) for _ in range(LEADS)]


async def post(system: System, people: list[dict[str, Any]]) -> list[UUID]:
    """Let them ask; return their leads."""
    async with doors(system) as door:
        return [UUID(await capture(door.intake, person)) for person in people]


async def all_have_tasks(system: System, leads: list[UUID]) -> list[tuple[Any, ...]]:
    """Wait until each lead has its follow-up; return it."""

    async def there() -> list[tuple[Any, ...]]:
        found = await tasks(system, leads)
        return found if {row[0] for row in found} == {*leads} else []

    return await eventually(there, seconds=60)


def lose_kafka(system: System) -> None:
    """End all, take away what Kafka had, and start again."""
    system.handoff("down")
    shutil.rmtree(system.run / "kafka")
    system.handoff("up", "--detach")
