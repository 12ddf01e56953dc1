"""From a qualified lead to a deal with an owner: exactly one, whatever comes twice or at once."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.integration.sales_pipeline.conftest import (
    Others,
    add_rep,
    deal_of,
    qualified,
    said,
)

from shared.clock import utc_now
from shared.contracts.deal import RepChanged
from shared.contracts.lead import ConsentChanged, LeadCard, LeadErased
from shared.contracts.score import LeadDisqualified, LeadScored
from shared.contracts.task import TaskCreated
from shared.ids import new_id


async def deals_of(api: httpx.AsyncClient, lead_id: object) -> list[dict[str, Any]]:
    return (await api.get("/v1/deals", params={"lead_id": str(lead_id)})).json()["items"]


class TestOneOpenDeal:
    async def test_a_qualified_lead_gets_one_deal_and_it_is_said(
        self, api: httpx.AsyncClient, others: Others, connection: AsyncConnection
    ) -> None:
        lead_id = await others.qualify(score=72, email="ada@engine.example")

        deal = await deal_of(api, lead_id)
        assert (deal["stage"], deal["outcome"], deal["score"]) == ("new", None, 72)
        assert deal["lead"]["email"] == "ada@engine.example"
        assert await said(connection, lead_id) == ["deal.opened"]

    async def test_an_event_that_comes_twice_opens_one_deal(
        self, api: httpx.AsyncClient, others: Others, connection: AsyncConnection
    ) -> None:
        delivery = others.deliver(qualified())
        await others.repeat([delivery, delivery])
        await others.repeat([delivery])

        lead_id = delivery.envelope.subject
        assert len(await deals_of(api, lead_id)) == 1
        assert await said(connection, lead_id) == ["deal.opened"]

    async def test_another_qualification_only_updates_the_score(
        self, api: httpx.AsyncClient, others: Others, connection: AsyncConnection
    ) -> None:
        lead_id = await others.qualify(score=70)
        await others.qualify(lead_id, version=2, score=95)

        assert (await deal_of(api, lead_id))["score"] == 95
        assert await said(connection, lead_id) == ["deal.opened"]

    async def test_a_recycled_lead_that_qualifies_again_gets_a_new_deal(
        self, api: httpx.AsyncClient, others: Others, connection: AsyncConnection
    ) -> None:
        lead_id = await others.qualify()
        first = await deal_of(api, lead_id)
        answer = await api.post(f"/v1/deals/{first['id']}/recycle", json={"reason": "too early"})
        await others.qualify(lead_id, version=2)

        assert answer.json()["outcome"] == "recycled"
        assert answer.json()["stage"] == "new"
        assert (await deal_of(api, lead_id))["id"] != first["id"]
        assert await said(connection, lead_id) == ["deal.opened", "deal.recycled", "deal.opened"]

    async def test_a_disqualified_lead_flags_its_deal_and_a_new_qualification_reopens_it(
        self, api: httpx.AsyncClient, others: Others, connection: AsyncConnection
    ) -> None:
        lead_id = await others.qualify()
        await others.say(
            LeadDisqualified(
                lead_id=lead_id, lead_version=2, reason="unreachable", disqualified_at=utc_now()
            )
        )
        flagged = await deal_of(api, lead_id)
        await others.qualify(lead_id, version=3)
        reopened = await deal_of(api, lead_id)

        assert flagged["flag_reason"] == "unreachable"
        assert flagged["outcome"] is None
        assert reopened["flag_reason"] is None
        assert reopened["id"] == flagged["id"]
        assert await said(connection, lead_id) == ["deal.opened", "deal.opened"]

    async def test_a_batch_of_many_leads_opens_a_deal_for_each(
        self, others: Others, connection: AsyncConnection
    ) -> None:
        events = [qualified() for _ in range(200)]
        await others.say(*events, *(qualified(e.lead_id, version=2) for e in events))

        assert [await said(connection, e.lead_id) for e in events] == [["deal.opened"]] * 200


class TestRoundRobin:
    @pytest.fixture(autouse=True)
    async def reps(self, api: httpx.AsyncClient) -> list[str]:
        """Exactly three active reps."""
        for rep in (await api.get("/v1/reps", params={"state": "active"})).json()["items"]:
            path, etag = f"/v1/reps/{rep['id']}", f'"{rep["version"]}"'
            await api.patch(path, json={"state": "away"}, headers={"If-Match": etag})
        return [(await add_rep(api, name))["id"] for name in ("ada", "ben", "cem")]

    async def test_deals_that_open_at_once_are_shared_fairly(
        self, api: httpx.AsyncClient, others: Others, reps: list[str]
    ) -> None:
        events = [qualified() for _ in range(40)]
        await asyncio.gather(*(others.say(*events[n : n + 4]) for n in range(0, 40, 4)))

        owners = Counter([(await deal_of(api, e.lead_id))["owner_id"] for e in events])
        assert sorted(owners) == sorted(reps)
        assert max(owners.values()) - min(owners.values()) <= 1

    async def test_who_is_away_gets_no_deal_and_who_comes_back_does(
        self, api: httpx.AsyncClient, others: Others, reps: list[str]
    ) -> None:
        etag = {"If-Match": '"1"'}
        away = await api.patch(f"/v1/reps/{reps[1]}", json={"state": "away"}, headers=etag)
        meanwhile = {(await deal_of(api, await others.qualify()))["owner_id"] for _ in range(4)}
        back = {"If-Match": away.headers["ETag"]}
        await api.patch(f"/v1/reps/{reps[1]}", json={"state": "active"}, headers=back)
        afterwards = {(await deal_of(api, await others.qualify()))["owner_id"] for _ in range(3)}

        assert meanwhile == {reps[0], reps[2]}
        assert afterwards == set(reps)

    async def test_without_an_active_rep_the_fallback_owner_gets_the_deal(
        self, api: httpx.AsyncClient, others: Others, reps: list[str]
    ) -> None:
        for rep_id in reps:
            path = f"/v1/reps/{rep_id}"
            await api.patch(path, json={"state": "away"}, headers={"If-Match": '"1"'})
        deal = await deal_of(api, await others.qualify())

        owner = (await api.get(f"/v1/reps/{deal['owner_id']}")).json()
        assert owner["fallback"] is True
        assert owner["name"] == "Unassigned queue"


class TestWhatIsHeard:
    async def test_a_later_card_replaces_and_an_earlier_one_does_not(
        self, api: httpx.AsyncClient, others: Others
    ) -> None:
        lead_id = await others.qualify(version=5)
        for version, email in ((7, "new@navy.example"), (6, "old@navy.example")):
            card = LeadCard(email=email)
            await others.say(ConsentChanged(lead_id=lead_id, lead_version=version, lead=card))

        assert (await deal_of(api, lead_id))["lead"]["email"] == "new@navy.example"

    async def test_the_timeline_shows_scores_and_tasks_beside_what_people_did(
        self, api: httpx.AsyncClient, others: Others, deal: dict[str, Any]
    ) -> None:
        lead_id = deal["lead_id"]
        score = qualified(score=88).score
        await others.say(LeadScored(lead_id=lead_id, lead_version=2, score=score))
        await others.say(
            TaskCreated(
                lead_id=lead_id, lead_version=1, task_id=new_id(), deal_id=deal["id"],
                task_kind="call", title="First contact", occurred_at=utc_now(),
                playbook="deal opened", due_at=utc_now(),
            ),
        )  # fmt: skip
        await api.post(f"/v1/deals/{deal['id']}/stage", json={"stage": "demo"})
        await api.post(f"/v1/deals/{deal['id']}/activities", json={"kind": "note", "text": "ok"})

        timeline = (await api.get(f"/v1/deals/{deal['id']}/timeline")).json()["items"]
        assert [entry["kind"] for entry in timeline] == [
            "opened", "scored", "task_created", "accepted", "stage_changed", "note",
        ]  # fmt: skip
        assert timeline[2]["text"] == "First contact"

    async def test_an_erased_lead_is_forgotten_and_its_order_stays(
        self, api: httpx.AsyncClient, others: Others, connection: AsyncConnection
    ) -> None:
        lead_id = await others.qualify(email="secret@navy.example")
        first = await deal_of(api, lead_id)
        money = {"amount_minor": 5_000, "currency": "EUR"}
        win, key = f"/v1/deals/{first['id']}/win", {"Idempotency-Key": "once"}
        assert (await api.post(win, json=money, headers=key)).status_code == 200
        await others.qualify(lead_id, version=2, email="secret@navy.example")
        second = await deal_of(api, lead_id)
        note = {"kind": "note", "text": "a secret"}
        await api.post(f"/v1/deals/{second['id']}/activities", json=note)
        before = await said(connection, lead_id)
        await others.say(LeadErased(lead_id=lead_id, lead_version=3, erased_at=utc_now()))
        await others.qualify(lead_id, version=4, email="secret@navy.example")

        shown = [
            (await api.get(path)).text
            for path in (
                f"/v1/deals?lead_id={lead_id}",
                f"/v1/deals/{second['id']}/timeline",
                f"/v1/customers?lead_id={lead_id}",
            )
        ]
        assert not [page for page in shown if "secret" in page or "Hopper" in page]
        assert (await api.post(win, json=money, headers=key)).status_code == 409
        assert (await deal_of(api, lead_id, "erased"))["id"] == second["id"]
        assert await said(connection, lead_id) == before
        orders = await api.get("/v1/orders", params={"lead_id": str(lead_id)})
        assert [order["amount_minor"] for order in orders.json()["items"]] == [5_000]

    async def test_nothing_more_is_written_about_an_erased_lead(
        self, api: httpx.AsyncClient, others: Others, deal: dict[str, Any]
    ) -> None:
        erased = LeadErased(lead_id=deal["lead_id"], lead_version=3, erased_at=utc_now())
        await others.say(erased)
        answer = await api.post(
            f"/v1/deals/{deal['id']}/activities", json={"kind": "note", "text": "called her"}
        )

        assert answer.status_code == 409
        assert answer.json()["type"] == "urn:handoff:problem:lead-erased"


async def test_a_lead_that_cannot_be_read_takes_nobody_elses_deal(
    api: httpx.AsyncClient, others: Others
) -> None:
    good, bad = others.deliver(qualified()), others.deliver(qualified())
    bad = replace(bad, envelope=replace(bad.envelope, data=b"{}"))
    failures = await others.batch.run([bad, good])

    assert [failure.delivery for failure in failures] == [bad]
    assert await deal_of(api, good.envelope.subject)
    assert await deals_of(api, bad.envelope.subject) == []


class TestTheFallbackOwner:
    async def test_is_told_of_before_anybody_edits_them(self, engine: AsyncEngine) -> None:
        async with engine.connect() as connection:
            row = (
                await connection.execute(
                    text(
                        "SELECT payload FROM outbox JOIN team ON fallback_rep_id = subject"
                        " WHERE sequence = 1"
                    )
                )
            ).one()

        assert RepChanged.from_wire(row.payload).name == "Unassigned queue"
