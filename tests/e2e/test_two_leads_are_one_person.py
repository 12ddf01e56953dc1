"""Two leads merge while sales works on both: one person everywhere, and nothing is left behind."""

from tests.e2e.walk import Doors, a_rep, a_source, capture, doors, eventually, items, somebody
from tests.stack.system import System


async def _deals(door: Doors, lead_id: str, outcome: str) -> list[str]:
    found = await items(door.pipeline, "/v1/deals", lead_id=lead_id, outcome=outcome)
    return [deal["id"] for deal in found]


async def _settled(door: Doors, goes: str, stays: str, given_up: str) -> list[dict]:
    """Wait until all services have merged; return the tasks that ended by it."""

    async def one_deal() -> bool:
        return await _deals(door, goes, "merged") == [given_up]

    async def tasks_end() -> list[dict]:
        tasks = await items(door.notifier, "/v1/tasks", lead_id=goes)
        return [task for task in tasks if task["state"] == "cancelled"]

    async def one_score() -> bool:
        answers = [await door.scoring.get(f"/v1/scores/{each}") for each in (goes, stays)]
        return len({answer.text for answer in answers}) == 1

    await eventually(one_deal)
    await eventually(one_score)
    return await eventually(tasks_end)


class TestTheMerge:
    async def test_it_leaves_one_lead_one_score_one_open_deal_and_the_tasks_of_that(
        self, system: System
    ) -> None:
        async with doors(system) as door:
            await a_rep(door.pipeline)
            source = await a_source(door.intake)
            people = [somebody(source_id=source["id"]) for _ in range(2)]
            stays, goes = [await capture(door.intake, person) for person in people]

            async def tasks_of_both() -> bool:
                found = [await items(door.notifier, "/v1/tasks", lead_id=x) for x in (stays, goes)]
                return all(found)

            await eventually(tasks_of_both)
            (given_up,) = await _deals(door, goes, "open")
            merged = await door.intake.post(f"/v1/leads/{goes}/merge", json={"into": stays})
            again = await capture(door.intake, people[1] | {"message": "It is me again"})

            cancelled = await _settled(door, goes, stays, given_up)
            kept = await _deals(door, stays, "open")
            tasks = await items(door.notifier, "/v1/tasks", lead_id=stays)
            lead = (await door.intake.get(f"/v1/leads/{goes}")).json()

        assert merged.status_code == 200, merged.text
        assert (again, lead["id"], lead["merged_leads"]) == (stays, stays, [goes])
        assert lead["touchpoint_count"] == 3
        assert len(kept) == 1
        assert {task["deal_id"] for task in cancelled} == {given_up}
        assert {task["deal_id"] for task in tasks if task["state"] == "open"} == set(kept)

        story = system.handoff("trace", goes).stdout
        for name in ("lead.captured", "lead.merged", "deal.opened", "deal.merged", goes):
            assert name in story
        audit = system.handoff("audit", check=False)
        assert audit.returncode == 0, audit.stdout
