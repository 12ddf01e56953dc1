"""`LeadMerged` while sales works on both: one person, one customer, at most one open deal."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.integration.sales_pipeline.conftest import Others, deal_of, qualified, said
from tests.stack.interleaving import batches
from tests.stack.merging import merges

from shared.clock import utc_now
from shared.contracts.event import Event
from shared.contracts.lead import LeadCard, LeadErased, LeadUpdated
from shared.contracts.score import LeadDisqualified, LeadScored, Score
from shared.contracts.task import TaskCreated
from shared.ids import new_id

MERGED = 5
SEEDS = range(12)


def scored(lead_id: UUID, version: int, score: int) -> LeadScored:
    return LeadScored(
        lead_id=lead_id,
        lead_version=version,
        score=Score(
            score=score, grade="C3", fit=0, engagement=score, scorecard_id=new_id(),
            scorecard_version=1, threshold=60, entries=(),
        ),
    )  # fmt: skip


def disqualified(lead_id: UUID, version: int) -> LeadDisqualified:
    return LeadDisqualified(
        lead_id=lead_id,
        lead_version=version,
        reason="consent_withdrawn",
        disqualified_at=utc_now(),
    )


async def deals_of(api: httpx.AsyncClient, lead_id: UUID) -> list[dict[str, Any]]:
    return (await api.get("/v1/deals", params={"lead_id": str(lead_id)})).json()["items"]


async def win(api: httpx.AsyncClient, deal: dict[str, Any], amount: int) -> None:
    answer = await api.post(
        f"/v1/deals/{deal['id']}/win", json={"amount_minor": amount, "currency": "EUR"}
    )
    assert answer.status_code == 200, answer.text


async def customer_of(api: httpx.AsyncClient, lead_id: UUID) -> str:
    found = await api.get("/v1/customers", params={"lead_id": str(lead_id)})
    (customer,) = found.json()["items"]
    return customer["id"]


class TestMerging:
    async def test_everything_of_the_alias_is_the_survivors(
        self, api: httpx.AsyncClient, others: Others
    ) -> None:
        goes, stays = await others.qualify(), await others.qualify()
        await win(api, await deal_of(api, goes), 100)
        await win(api, await deal_of(api, stays), 20)

        await others.say(merges(goes, into=stays)[0])

        for name in (goes, stays):
            assert {deal["lead_id"] for deal in await deals_of(api, name)} == {str(stays)}
            orders = (await api.get("/v1/orders", params={"lead_id": str(name)})).json()["items"]
            customers = await api.get("/v1/customers", params={"lead_id": str(name)})
            (customer,) = customers.json()["items"]
            assert len(orders) == 2
            assert {order["customer_id"] for order in orders} == {customer["id"]}
            assert (customer["order_count"], customer["lifetime_value"]) == (2, {"EUR": 120})

    async def test_a_customer_answers_by_the_id_of_before_the_merge(
        self, api: httpx.AsyncClient, others: Others
    ) -> None:
        goes, stays, third = [await others.qualify() for _ in range(3)]
        for name in (goes, stays, third):
            await win(api, await deal_of(api, name), 100)
        ids = [await customer_of(api, name) for name in (goes, stays, third)]

        await others.say(*merges(goes, into=stays))
        await others.say(*merges(stays, into=third, version=6))

        for each in ids:
            customer = (await api.get(f"/v1/customers/{each}")).json()
            orders = (await api.get("/v1/orders", params={"customer_id": each})).json()["items"]
            assert (customer["id"], customer["order_count"], len(orders)) == (ids[-1], 3, 3)

    async def test_a_customer_goes_over_to_who_never_bought(
        self, api: httpx.AsyncClient, others: Others
    ) -> None:
        goes, stays = await others.qualify(), await others.qualify()
        await win(api, await deal_of(api, goes), 100)

        await others.say(merges(goes, into=stays)[1])

        customers = await api.get("/v1/customers", params={"lead_id": str(stays)})
        assert [each["order_count"] for each in customers.json()["items"]] == [1]
        assert {deal["outcome"] for deal in await deals_of(api, stays)} == {"won", None}

    async def test_of_two_open_deals_one_gives_way_and_says_so_on_its_own_stream(
        self, api: httpx.AsyncClient, others: Others, connection: AsyncConnection
    ) -> None:
        stays, goes = await others.qualify(), await others.qualify()
        kept, ended = await deal_of(api, stays), await deal_of(api, goes)

        await others.say(*merges(goes, into=stays))

        assert (await deal_of(api, stays))["id"] == kept["id"]
        gave_way = await deal_of(api, stays, "merged")
        assert (gave_way["id"], gave_way["close_reason"]) == (ended["id"], kept["id"])
        assert await said(connection, goes) == ["deal.opened", "deal.merged"]
        assert await said(connection, stays) == ["deal.opened"]
        late = await api.post(f"/v1/deals/{ended['id']}/accept")
        assert (late.status_code, late.json()["type"].rpartition(":")[2]) == (
            409,
            "deal-already-closed",
        )

    async def test_a_chain_of_merges_in_one_batch_leads_to_the_last_survivor(
        self, api: httpx.AsyncClient, others: Others
    ) -> None:
        first, second, last = await others.qualify(), new_id(), new_id()
        await win(api, await deal_of(api, first), 100)

        await others.say(*merges(first, into=second), *merges(second, into=last, version=6))

        (deal,) = await deals_of(api, last)
        customers = await api.get("/v1/customers", params={"lead_id": str(last)})
        assert (deal["lead_id"], deal["outcome"]) == (str(last), "won")
        assert [each["order_count"] for each in customers.json()["items"]] == [1]

    async def test_a_deal_keeps_the_stream_that_it_was_opened_on(
        self, api: httpx.AsyncClient, others: Others, connection: AsyncConnection
    ) -> None:
        goes, stays = await others.qualify(), new_id()
        deal = await deal_of(api, goes)
        await others.say(*merges(goes, into=stays))

        await win(api, deal, 100)

        assert await said(connection, goes) == [
            "deal.opened",
            "deal.accepted",
            "deal.won",
            "order.placed",
        ]
        assert await said(connection, stays) == []

    async def test_tasks_of_the_moved_deal_are_shown_whichever_name_they_go_by(
        self, api: httpx.AsyncClient, others: Others
    ) -> None:
        goes, stays = await others.qualify(), new_id()
        deal = await deal_of(api, goes)
        await others.say(*merges(goes, into=stays))

        for name in (goes, stays):
            await others.say(
                TaskCreated(
                    lead_id=name, lead_version=1, task_id=new_id(), deal_id=UUID(deal["id"]),
                    task_kind="call", title="Call", occurred_at=utc_now(), playbook="p",
                    due_at=utc_now(),
                )
            )  # fmt: skip

        timeline = (await api.get(f"/v1/deals/{deal['id']}/timeline")).json()["items"]
        assert [each["kind"] for each in timeline].count("task_created") == 2

    async def test_erasure_by_the_old_name_forgets_the_person(
        self, api: httpx.AsyncClient, others: Others
    ) -> None:
        goes, stays = await others.qualify(), await others.qualify()
        await others.say(*merges(goes, into=stays))

        await others.say(LeadErased(lead_id=goes, lead_version=6, erased_at=utc_now()))

        assert {deal["outcome"] for deal in await deals_of(api, stays)} == {"erased", "merged"}
        assert {str(deal["lead"].get("email")) for deal in await deals_of(api, stays)} == {"None"}


class TestByOracle:
    """Whatever comes first: one open deal, the last card, the last score, the last judgement."""

    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("forbidden", [True, False])
    async def test_the_end_is_the_same_in_every_order(
        self,
        seed: int,
        api: httpx.AsyncClient,
        others: Others,
        connection: AsyncConnection,
        *,
        forbidden: bool,
    ) -> None:
        print(f"seed {seed}")  # noqa: T201
        goes, stays = new_id(), new_id()
        gone, left = merges(goes, into=stays)
        judged: Event = (
            disqualified(stays, MERGED) if forbidden else qualified(stays, version=MERGED)
        )
        streams: Sequence[Sequence[Event]] = (
            [_updated(goes, 1), _updated(goes, 2), gone],
            [_updated(stays, 1), left, _updated(stays, 6)],
            [qualified(goes), scored(goes, 2, 61), disqualified(goes, 2)],
            [qualified(stays), judged, scored(stays, MERGED, 88)],
        )
        deliveries = [[others.deliver(event) for event in stream] for stream in streams]

        for batch in batches(deliveries, seed):
            await others.repeat(batch)

        (deal,) = await deals_of_outcome(api, stays, "open")
        assert deal["lead"]["email"] == "6@person.example"
        assert deal["score"] == 88
        assert deal["flag_reason"] == ("consent_withdrawn" if forbidden else None)
        others_of = {each["outcome"] for each in await deals_of(api, stays)} - {None}
        assert others_of <= {"merged"}
        assert await _waiting_and_heard(connection, goes, stays) == (0, 12)

    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("forbidden", [True, False])
    async def test_so_it_is_of_three_leads_that_merge_one_after_the_other(
        self,
        seed: int,
        api: httpx.AsyncClient,
        others: Others,
        connection: AsyncConnection,
        *,
        forbidden: bool,
    ) -> None:
        print(f"seed {seed}")  # noqa: T201
        a, b, c = new_id(), new_id(), new_id()
        (a_goes, b_stays), (b_goes, c_stays) = merges(a, into=b), merges(b, into=c, version=9)
        of_both = disqualified(b, MERGED) if forbidden else qualified(b, version=MERGED)
        streams: Sequence[Sequence[Event]] = (
            [_updated(a, 1), a_goes],
            [_updated(b, 1), b_stays, _updated(b, 6), b_goes],
            [_updated(c, 1), c_stays, _updated(c, 10)],
            [qualified(a), disqualified(a, 2)],
            [qualified(b), of_both, scored(b, 6, 77)],
            [scored(c, 3, 11), scored(c, 9, 88)],
        )
        deliveries = [[others.deliver(event) for event in stream] for stream in streams]

        for batch in batches(deliveries, seed):
            await others.repeat(batch)

        (deal,) = await deals_of_outcome(api, c, "open")
        assert (deal["lead"]["email"], deal["score"]) == ("10@person.example", 88)
        assert deal["flag_reason"] == ("consent_withdrawn" if forbidden else None)
        assert await _waiting_and_heard(connection, a, b, c) == (0, 16)


async def deals_of_outcome(
    api: httpx.AsyncClient, lead_id: UUID, outcome: str
) -> list[dict[str, Any]]:
    answer = await api.get("/v1/deals", params={"lead_id": str(lead_id), "outcome": outcome})
    return answer.json()["items"]


def _updated(lead_id: UUID, version: int) -> LeadUpdated:
    card = LeadCard(email=f"{version}@person.example")
    return LeadUpdated(lead_id=lead_id, lead_version=version, lead=card)


async def _waiting_and_heard(connection: AsyncConnection, *names: UUID) -> tuple[int, int]:
    values = {"ids": list(names)}
    waiting = "SELECT count(*) FROM parked_event WHERE subject = ANY(:ids)"
    heard = "SELECT sum(last_sequence) FROM stream WHERE subject = ANY(:ids)"
    found = [await connection.scalar(text(each), values) for each in (waiting, heard)]
    return found[0], found[1]
