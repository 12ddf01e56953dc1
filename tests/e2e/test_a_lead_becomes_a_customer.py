"""One lead walks the whole way, each step through its real door."""

import pytest
from tests.e2e.walk import Doors, a_rep, a_source, capture, doors, eventually, items, somebody
from tests.stack.system import System


async def _deal(door: Doors, lead_id: str, **filters: str) -> dict:
    async def first() -> dict | None:
        found = await items(door.pipeline, "/v1/deals", lead_id=lead_id, **filters)
        return found[0] if found else None

    return await eventually(first)


async def _task(door: Doors, lead_id: str, kind: str) -> dict:
    async def of_kind() -> dict | None:
        found = await items(door.notifier, "/v1/tasks", lead_id=lead_id)
        return next((task for task in found if task["kind"] == kind), None)

    return await eventually(of_kind)


class TestTheWalk:
    async def test_a_demo_request_becomes_a_won_deal_with_an_order_and_follow_ups(
        self, system: System
    ) -> None:
        async with doors(system) as door:
            await a_rep(door.pipeline)
            source = await a_source(door.intake)
            lead_id = await capture(door.intake, somebody(source_id=source["id"]))
            deal = await _deal(door, lead_id)
            score = (await door.scoring.get(f"/v1/scores/{lead_id}")).json()
            first_contact = await _task(door, lead_id, "first_contact")
            verb = f"/v1/deals/{deal['id']}"
            accepted = await door.pipeline.post(f"{verb}/accept")
            won = await door.pipeline.post(
                f"{verb}/win", json={"amount_minor": 120_000, "currency": "EUR"}
            )
            orders = await items(door.pipeline, "/v1/orders", lead_id=lead_id)
            customers = await items(door.pipeline, "/v1/customers", lead_id=lead_id)
            welcome = await _task(door, lead_id, "welcome_call")
            done = await door.notifier.get(f"/v1/tasks/{first_contact['id']}")

        assert sum(entry["points"] for entry in score["entries"]) == score["score"]
        assert first_contact["owner_id"] == deal["owner_id"]
        assert (accepted.status_code, won.status_code) == (200, 200), won.text
        assert [order["amount_minor"] for order in orders] == [120_000]
        assert len(customers) == 1
        assert welcome["state"] == "open"
        assert done.json()["state"] == "cancelled"

    async def test_a_recycled_lead_comes_back_as_a_new_deal_when_it_engages_again(
        self, system: System
    ) -> None:
        async with doors(system) as door:
            source = await a_source(door.intake)
            person = somebody(source_id=source["id"])
            lead_id = await capture(door.intake, person)
            first = await _deal(door, lead_id)
            recycled = await door.pipeline.post(
                f"/v1/deals/{first['id']}/recycle", json={"reason": "not now"}
            )
            nurture = await _task(door, lead_id, "nurture")
            again = await capture(door.intake, person | {"message": "now we want it"})

            async def second() -> list[dict]:
                found = await items(door.pipeline, "/v1/deals", lead_id=lead_id)
                return [deal for deal in found if deal["id"] != first["id"]]

            others = await eventually(second)

        assert recycled.status_code == 200, recycled.text
        assert nurture["owner_id"] is None
        assert again == lead_id
        assert len(others) == 1

    async def test_the_same_person_two_hundred_times_at_once_is_one_lead_and_one_deal(
        self, system: System
    ) -> None:
        async with doors(system) as door:
            source = await a_source(door.intake)
            person = somebody(source_id=source["id"])
            ids = {await capture(door.intake, person) for _ in range(3)}
            many = [{**person, "source_event_id": str(n)} for n in range(200)]
            answer = await door.intake.post("/v1/leads/batch", json={"items": many})
            lead_id = ids.pop()
            await _deal(door, lead_id)
            deals = await items(door.pipeline, "/v1/deals", lead_id=lead_id)

        assert answer.status_code in (200, 202, 207), answer.text
        assert ids == set()
        assert len(deals) == 1


class TestErasure:
    async def test_an_erased_person_is_gone_everywhere_and_stays_gone(self, system: System) -> None:
        async with doors(system) as door:
            source = await a_source(door.intake)
            person = somebody(source_id=source["id"], last_name="Forgetmenot")
            lead_id = await capture(door.intake, person)
            await _deal(door, lead_id)
            erased = await door.intake.delete(f"/v1/leads/{lead_id}")

            async def score_is_gone() -> bool:
                return (await door.scoring.get(f"/v1/scores/{lead_id}")).status_code == 404

            await eventually(score_is_gone)
            audit = system.handoff("audit", check=False)

        assert erased.status_code == 204
        assert audit.returncode == 0, audit.stdout


@pytest.mark.usefixtures("system")
class TestTheCommand:
    async def test_trace_tells_the_story_of_a_lead_over_all_services(self, system: System) -> None:
        async with doors(system) as door:
            source = await a_source(door.intake)
            lead_id = await capture(door.intake, somebody(source_id=source["id"]))
            await _task(door, lead_id, "first_contact")
        story = system.handoff("trace", lead_id).stdout

        for name in ("lead.captured", "lead.qualified", "deal.opened", "task.created"):
            assert name in story

    def test_audit_balances(self, system: System) -> None:
        answer = system.handoff("audit", check=False)

        assert answer.returncode == 0, answer.stdout
