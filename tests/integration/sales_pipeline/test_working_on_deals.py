"""What sales does through the API, alone or two at once, and which rule answers a refusal."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.integration.sales_pipeline.conftest import Others, add_rep, deal_of, rule_of, said

from shared.ids import new_id

MONEY = {"amount_minor": 120_000, "currency": "EUR"}
Deal = dict[str, Any]


async def do(api: httpx.AsyncClient, deal: Deal, verb: str, /, **body: object) -> httpx.Response:
    return await api.post(f"/v1/deals/{deal['id']}/{verb}", json=body)


class TestAccepting:
    async def test_needs_no_body_and_can_be_repeated(
        self, api: httpx.AsyncClient, deal: Deal, connection: AsyncConnection
    ) -> None:
        answers = [await api.post(f"/v1/deals/{deal['id']}/accept") for _ in range(2)]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json() == answers[1].json()
        assert answers[0].json()["accepted_by"] == deal["owner_id"]
        assert await said(connection, deal["lead_id"]) == ["deal.opened", "deal.accepted"]

    async def test_of_two_reps_at_once_gives_the_deal_to_one(
        self, api: httpx.AsyncClient, deal: Deal, connection: AsyncConnection
    ) -> None:
        reps = [(await add_rep(api, name))["id"] for name in ("dot", "eve")]
        answers = await asyncio.gather(*(do(api, deal, "accept", rep_id=rep) for rep in reps))

        won = [answer for answer in answers if answer.status_code == 200]
        lost = [answer for answer in answers if answer.status_code == 409]
        assert (len(won), len(lost)) == (1, 1)
        assert rule_of(lost[0]) == "deal-already-accepted"
        assert won[0].json()["owner_id"] == won[0].json()["accepted_by"]
        assert await said(connection, deal["lead_id"]) == [
            "deal.opened",
            "deal.reassigned",
            "deal.accepted",
        ]


class TestMoving:
    async def test_through_all_stages_is_said_step_by_step(
        self, api: httpx.AsyncClient, deal: Deal, connection: AsyncConnection
    ) -> None:
        await do(api, deal, "accept")
        stages = ["contacted", "sales_qualified", "demo", "proposal", "negotiation"]
        moved = [(await do(api, deal, "stage", stage=stage)).json()["stage"] for stage in stages]

        assert moved == stages
        assert (await said(connection, deal["lead_id"])).count("deal.stage_changed") == 5

    @pytest.mark.parametrize("stage", ["new", "won", "lost"])
    async def test_to_where_no_plain_move_leads_is_refused(
        self, api: httpx.AsyncClient, deal: Deal, stage: str
    ) -> None:
        await do(api, deal, "stage", stage="contacted")
        answer = await do(api, deal, "stage", stage=stage)

        assert answer.status_code == 409
        assert rule_of(answer) == "illegal-stage-move"
        assert "can be moved to: contacted" in answer.json()["detail"]

    async def test_a_reassigned_deal_is_found_under_its_new_owner(
        self, api: httpx.AsyncClient, deal: Deal
    ) -> None:
        rep = await add_rep(api, "fay")
        await do(api, deal, "reassign", owner_id=rep["id"])

        found = (await api.get("/v1/deals", params={"owner_id": rep["id"]})).json()["items"]
        assert [each["id"] for each in found] == [deal["id"]]


class TestWinning:
    async def test_makes_an_order_and_a_customer(
        self, api: httpx.AsyncClient, deal: Deal, connection: AsyncConnection
    ) -> None:
        await do(api, deal, "accept")
        won = (await do(api, deal, "win", **MONEY)).json()

        order = (await api.get(f"/v1/orders/{won['order_id']}")).json()
        customer = (await api.get(f"/v1/customers/{order['customer_id']}")).json()
        assert (won["stage"], won["outcome"]) == ("won", "won")
        assert (order["amount_minor"], order["currency"]) == (120_000, "EUR")
        assert (customer["name"], customer["order_count"]) == ("Grace Hopper", 1)
        assert customer["lifetime_value"] == {"EUR": 120_000}
        assert await said(connection, deal["lead_id"]) == [
            "deal.opened",
            "deal.accepted",
            "deal.won",
            "order.placed",
        ]

    async def test_twenty_times_at_once_under_one_key_happens_once(
        self, api: httpx.AsyncClient, deal: Deal, connection: AsyncConnection
    ) -> None:
        key = {"Idempotency-Key": new_id().hex}
        answers = await asyncio.gather(
            *(api.post(f"/v1/deals/{deal['id']}/win", json=MONEY, headers=key) for _ in range(20))
        )

        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.text for answer in answers}) == 1
        assert (await said(connection, deal["lead_id"])).count("order.placed") == 1
        customers = (await api.get("/v1/customers", params={"lead_id": deal["lead_id"]})).json()
        assert [customer["order_count"] for customer in customers["items"]] == [1]

    async def test_ten_times_at_once_without_a_key_happens_once_too(
        self, api: httpx.AsyncClient, deal: Deal
    ) -> None:
        answers = await asyncio.gather(*(do(api, deal, "win", **MONEY) for _ in range(10)))

        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
        orders = (await api.get("/v1/orders", params={"deal_id": deal["id"]})).json()["items"]
        assert len(orders) == 1

    async def test_again_counts_for_the_same_customer(
        self, api: httpx.AsyncClient, others: Others, deal: Deal
    ) -> None:
        await do(api, deal, "win", **MONEY)
        await others.qualify(UUID(deal["lead_id"]), version=2)
        second = await deal_of(api, UUID(deal["lead_id"]))
        await do(api, second, "win", amount_minor=1, currency="USD")

        (customer,) = (await api.get("/v1/customers", params={"lead_id": deal["lead_id"]})).json()[
            "items"
        ]
        assert customer["order_count"] == 2
        assert customer["lifetime_value"] == {"EUR": 120_000, "USD": 1}


class TestTheEnd:
    @pytest.mark.parametrize(
        ("end", "body"),
        [("win", MONEY), ("lose", {"reason": "price"}), ("recycle", {"reason": "x"})],
    )
    @pytest.mark.parametrize(
        ("verb", "more"),
        [
            ("accept", {}),
            ("stage", {"stage": "demo"}),
            ("win", MONEY),
            ("lose", {"reason": "price"}),
            ("recycle", {"reason": "too early"}),
        ],
    )
    async def test_is_final(
        self,
        api: httpx.AsyncClient,
        deal: Deal,
        end: str,
        body: Deal,
        verb: str,
        more: Deal,
    ) -> None:
        await do(api, deal, end, **body)
        answer = await do(api, deal, verb, **more)

        assert answer.status_code == 409
        assert rule_of(answer) == "deal-already-closed"

    async def test_of_two_at_once_is_one_of_them(
        self, api: httpx.AsyncClient, deal: Deal, connection: AsyncConnection
    ) -> None:
        answers = await asyncio.gather(
            do(api, deal, "win", **MONEY), do(api, deal, "lose", reason="price")
        )

        assert sorted(answer.status_code for answer in answers) == [200, 409]
        ends = [
            kind for kind in await said(connection, deal["lead_id"]) if kind.endswith(("n", "t"))
        ]
        assert len({"deal.won", "deal.lost"}.intersection(ends)) == 1

    async def test_still_allows_to_write_down_what_was_done(
        self, api: httpx.AsyncClient, deal: Deal
    ) -> None:
        await do(api, deal, "lose", reason="price")
        answer = await do(api, deal, "activities", kind="call", text="asked why")

        assert answer.status_code == 201
        assert {"id", "created_at", "updated_at"} <= answer.json().keys()


class TestAmending:
    async def test_changes_what_is_sent_and_gives_a_new_etag(
        self, api: httpx.AsyncClient, deal: Deal
    ) -> None:
        path = f"/v1/deals/{deal['id']}"
        etag = (await api.get(path)).headers["ETag"]
        body = {**MONEY, "expected_close_on": "2026-12-24"}
        answer = await api.patch(path, json=body, headers={"If-Match": etag})

        assert answer.status_code == 200
        assert answer.headers["ETag"] != etag
        assert {**answer.json(), **body} == answer.json()

    async def test_of_two_who_saw_the_same_version_refuses_the_second(
        self, api: httpx.AsyncClient, deal: Deal
    ) -> None:
        path, seen = f"/v1/deals/{deal['id']}", {"If-Match": f'"{deal["version"]}"'}
        answers = await asyncio.gather(
            *(
                api.patch(path, json={"amount_minor": n, "currency": "EUR"}, headers=seen)
                for n in (1, 2)
            )
        )

        assert sorted(answer.status_code for answer in answers) == [200, 412]

    async def test_is_not_outrun_by_a_new_score(
        self, api: httpx.AsyncClient, others: Others, deal: Deal
    ) -> None:
        seen = {"If-Match": f'"{deal["version"]}"'}
        await others.qualify(UUID(deal["lead_id"]), version=2, score=99)
        answer = await api.patch(f"/v1/deals/{deal['id']}", json=MONEY, headers=seen)

        assert answer.status_code == 200
        assert answer.json()["score"] == 99

    async def test_without_if_match_is_asked_for_it(
        self, api: httpx.AsyncClient, deal: Deal
    ) -> None:
        answer = await api.patch(f"/v1/deals/{deal['id']}", json=MONEY)

        assert answer.status_code == 428
