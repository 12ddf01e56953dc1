"""`LeadMerged` while tasks wait for both: what is to be done stays, and is to be done once."""

from collections.abc import Sequence
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.conftest import (
    HOUR,
    Deal,
    said,
    task_of,
    tasks_of,
    timer_running,
)
from tests.stack.interleaving import batches
from tests.stack.merging import merges
from tests.stack.voices import Others
from tests.stack.waiting import until

from shared.clock import utc_now
from shared.contracts.deal import DealMerged
from shared.contracts.event import Event
from shared.contracts.lead import LeadCard, LeadErased, LeadUpdated
from shared.contracts.score import LeadDisqualified
from shared.ids import new_id

MERGED = 5
SEEDS = range(12)


def gave_way(deal: Deal, to: Deal) -> DealMerged:
    return DealMerged(
        lead_id=deal.lead_id, lead_version=MERGED, deal_id=deal.deal_id, owner_id=deal.owner_id,
        occurred_at=utc_now(), into_deal_id=to.deal_id, stage="new",
    )  # fmt: skip


def disqualified(lead_id: UUID, version: int) -> LeadDisqualified:
    return LeadDisqualified(
        lead_id=lead_id,
        lead_version=version,
        reason="consent_withdrawn",
        disqualified_at=utc_now(),
    )


def _updated(lead_id: UUID, version: int) -> LeadUpdated:
    card = LeadCard(email=f"{version}@person.example")
    return LeadUpdated(lead_id=lead_id, lead_version=version, lead=card)


class TestMerging:
    async def test_tasks_of_both_are_found_under_either_name_finished_ones_too(
        self, api: httpx.AsyncClient, others: Others
    ) -> None:
        theirs, ours = Deal(), Deal()
        await others.say(theirs.opened(), ours.opened())
        done = await task_of(api, lead_id=theirs.lead_id)
        await api.post(f"/v1/tasks/{done['id']}/complete")

        await others.say(merges(theirs.lead_id, into=ours.lead_id)[1])

        for name in (theirs.lead_id, ours.lead_id):
            found = await tasks_of(api, lead_id=name)
            assert {task["lead_id"] for task in found} == {str(ours.lead_id)}
            assert [task["state"] for task in found] == ["completed", "open"]

    async def test_a_chain_of_merges_in_one_batch_leads_to_the_last_survivor(
        self, api: httpx.AsyncClient, others: Others
    ) -> None:
        first, second, last = Deal(), new_id(), new_id()
        await others.say(first.opened())
        done = await task_of(api, lead_id=first.lead_id)
        await api.post(f"/v1/tasks/{done['id']}/complete")

        await others.say(*merges(first.lead_id, into=second), *merges(second, into=last))

        assert (await task_of(api, lead_id=last))["lead_id"] == str(last)

    async def test_what_is_said_of_a_task_goes_by_the_name_of_its_deal(
        self, api: httpx.AsyncClient, others: Others, engine: AsyncEngine
    ) -> None:
        theirs, stays = Deal(), new_id()
        await others.say(theirs.opened(), *merges(theirs.lead_id, into=stays))

        task = await task_of(api, lead_id=stays)
        answer = await api.post(f"/v1/tasks/{task['id']}/complete")

        assert answer.status_code == 200
        assert await said(engine, theirs.lead_id) == ["task.created", "task.completed"]
        assert await said(engine, stays) == []

    async def test_the_deal_that_gave_way_has_nothing_more_to_be_done(
        self, api: httpx.AsyncClient, others: Others
    ) -> None:
        theirs, ours = Deal(), Deal()
        await others.say(theirs.opened(), ours.opened())
        await others.say(*merges(theirs.lead_id, into=ours.lead_id), gave_way(theirs, ours))

        assert (await task_of(api, deal_id=theirs.deal_id))["state"] == "cancelled"
        assert (await task_of(api, deal_id=ours.deal_id))["state"] == "open"

    async def test_a_task_of_the_alias_becomes_due_under_the_survivor(
        self, api: httpx.AsyncClient, others: Others, engine: AsyncEngine
    ) -> None:
        theirs, stays = Deal(), new_id()
        await others.say(theirs.opened(ago=HOUR), *merges(theirs.lead_id, into=stays))

        async def is_due() -> bool:
            return (await task_of(api, lead_id=stays))["state"] == "due"

        async with timer_running(engine):
            await until(is_due)

        assert await said(engine, theirs.lead_id) == ["task.created", "task.due"]

    async def test_erasure_by_the_old_name_cancels_all(
        self, api: httpx.AsyncClient, others: Others
    ) -> None:
        theirs, ours = Deal(), Deal()
        await others.say(theirs.opened(), ours.opened())
        await others.say(*merges(theirs.lead_id, into=ours.lead_id))

        erased = LeadErased(lead_id=theirs.lead_id, lead_version=6, erased_at=utc_now())
        await others.say(erased)

        found = await tasks_of(api, lead_id=ours.lead_id)
        assert [task["state"] for task in found] == ["cancelled"] * 2


class TestByOracle:
    """Whatever comes first, the same is to be done at the end."""

    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("forbidden", [True, False])
    async def test_the_end_is_the_same_in_every_order(
        self,
        seed: int,
        api: httpx.AsyncClient,
        others: Others,
        engine: AsyncEngine,
        *,
        forbidden: bool,
    ) -> None:
        print(f"seed {seed}")  # noqa: T201
        theirs, ours = Deal(), Deal()
        goes, stays = theirs.lead_id, ours.lead_id
        second = Deal(lead_id=goes)
        gone, left = merges(goes, into=stays)
        before = new_id()
        judged = [disqualified(stays, MERGED)] if forbidden else []
        streams: Sequence[Sequence[tuple[Event, UUID | None]]] = (
            [(_updated(goes, 1), None), (gone, None)],
            [(_updated(stays, 1), None), (left, None), (_updated(stays, 6), None)],
            [
                (theirs.opened(), before),
                (theirs.won(), None),
                (second.opened(), before),
                (gave_way(second, ours), None),
            ],
            [(ours.opened(), before), (ours.moved("proposal"), before)],
            [(disqualified(goes, 2), None)],
            [(each, None) for each in judged],
        )
        deliveries = [
            [others.deliver(event, causation_id=cause) for event, cause in stream]
            for stream in streams
        ]

        for batch in batches(deliveries, seed):
            await others.repeat(batch)

        tasks = await tasks_of(api, lead_id=goes)
        of_ours = {t["kind"]: t["state"] for t in tasks if t["deal_id"] == str(ours.deal_id)}
        states = {t["state"] for t in tasks if t["deal_id"] == str(second.deal_id)}
        assert {task["lead_id"] for task in tasks} == {str(stays)}
        assert len({(task["deal_id"], task["kind"]) for task in tasks}) == len(tasks) == 6
        assert set(of_ours.values()) == {"cancelled" if forbidden else "open"}
        assert set(of_ours) == {"first_contact", "follow_up"}
        assert states == {"cancelled"}
        await _card_is_the_last(engine, stays, 6)

    @pytest.mark.parametrize("seed", SEEDS)
    async def test_so_it_is_of_three_leads_that_merge_one_after_the_other(
        self, seed: int, api: httpx.AsyncClient, others: Others, engine: AsyncEngine
    ) -> None:
        print(f"seed {seed}")  # noqa: T201
        a, b, c = Deal(), Deal(), Deal()
        a_goes, b_stays = merges(a.lead_id, into=b.lead_id)
        b_goes, c_stays = merges(b.lead_id, into=c.lead_id, version=9)
        before = new_id()
        streams: Sequence[Sequence[tuple[Event, UUID | None]]] = (
            [(a_goes, None)],
            [(b_stays, None), (b_goes, None)],
            [(c_stays, None), (_updated(c.lead_id, 10), None)],
            *([(deal.opened(), before)] for deal in (a, b, c)),
            [(disqualified(b.lead_id, MERGED), None)],
        )
        deliveries = [
            [others.deliver(event, causation_id=cause) for event, cause in stream]
            for stream in streams
        ]

        for batch in batches(deliveries, seed):
            await others.repeat(batch)

        tasks = await tasks_of(api, lead_id=c.lead_id)
        assert {task["deal_id"]: task["state"] for task in tasks} == {
            str(a.deal_id): "cancelled",
            str(b.deal_id): "cancelled",
            str(c.deal_id): "open",
        }
        await _card_is_the_last(engine, c.lead_id, 10)


async def _card_is_the_last(engine: AsyncEngine, lead_id: UUID, last: int) -> None:
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT card ->> 'email' AS email, version FROM lead WHERE id = :id"),
            {"id": lead_id},
        )
        assert [tuple(row) for row in rows] == [(f"{last}@person.example", last)]
