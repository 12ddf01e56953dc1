"""What happens on deals becomes tasks, once, and what ends ends them."""

from datetime import datetime, timedelta

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.conftest import (
    Deal,
    rep_changed,
    said,
    task_of,
    tasks_of,
)
from tests.stack.voices import Others

from shared.clock import utc_now
from shared.contracts.lead import LeadCard, LeadErased, LeadUpdated
from shared.contracts.score import LeadDisqualified
from shared.ids import new_id


@pytest.fixture
def deal() -> Deal:
    return Deal()


def disqualified(deal: Deal) -> LeadDisqualified:
    return LeadDisqualified(
        lead_id=deal.lead_id,
        lead_version=2,
        reason="consent_withdrawn",
        disqualified_at=utc_now(),
    )


def summary(tasks: list[dict[str, str]]) -> dict[str, str]:
    return {task["kind"]: task["state"] for task in tasks}


def waits(task: dict[str, str], opened: datetime) -> timedelta:
    return datetime.fromisoformat(task["due_at"]) - opened


class TestDefaults:
    async def test_an_opened_deal_asks_its_owner_for_first_contact_within_the_hour(
        self, api: httpx.AsyncClient, others: Others, engine: AsyncEngine, deal: Deal
    ) -> None:
        opened = deal.opened()
        await others.say(opened)

        task = await task_of(api, lead_id=deal.lead_id)
        assert task["kind"] == "first_contact"
        assert task["title"] == "First contact with Ada Lovelace"
        assert task["playbook"] == "first contact"
        assert task["owner_id"] == str(deal.owner_id)
        assert task["deal_id"] == str(deal.deal_id)
        assert task["state"] == "open"
        assert waits(task, opened.occurred_at) == timedelta(hours=1)
        assert await said(engine, deal.lead_id) == ["task.created"]

    async def test_duplicates_and_repeats_make_no_second_task(
        self, api: httpx.AsyncClient, others: Others, engine: AsyncEngine, deal: Deal
    ) -> None:
        delivery = others.deliver(deal.opened())
        await others.repeat([delivery, delivery])
        await others.repeat([delivery])

        assert len(await tasks_of(api, lead_id=deal.lead_id)) == 1
        assert await said(engine, deal.lead_id) == ["task.created"]

    async def test_only_the_proposal_stage_asks_for_a_follow_up(
        self, api: httpx.AsyncClient, others: Others, deal: Deal
    ) -> None:
        moved = deal.moved("proposal")
        await others.say(deal.moved("demo"), moved, deal.moved("negotiation"))

        task = await task_of(api, lead_id=deal.lead_id)
        assert task["kind"] == "follow_up"
        assert waits(task, moved.occurred_at) == timedelta(days=3)

    async def test_a_won_deal_gets_a_welcome_call_and_a_check_in_and_drops_the_rest(
        self, api: httpx.AsyncClient, others: Others, deal: Deal
    ) -> None:
        won = deal.won()
        await others.say(deal.opened(), deal.moved("proposal"), won)

        tasks = await tasks_of(api, lead_id=deal.lead_id)
        dues = {task["kind"]: waits(task, won.occurred_at).days for task in tasks}
        assert summary(tasks) == {
            "first_contact": "cancelled",
            "follow_up": "cancelled",
            "welcome_call": "open",
            "check_in": "open",
        }
        assert (dues["welcome_call"], dues["check_in"]) == (1, 30)

    async def test_a_lost_deal_asks_why_in_two_weeks(
        self, api: httpx.AsyncClient, others: Others, deal: Deal
    ) -> None:
        lost = deal.lost()
        await others.say(deal.opened())
        await others.say(lost)

        tasks = await tasks_of(api, deal_id=deal.deal_id)
        assert summary(tasks) == {"first_contact": "cancelled", "ask_why": "open"}
        assert waits(tasks[-1], lost.occurred_at) == timedelta(days=14)

    async def test_a_recycled_deal_is_marketings_to_nurture(
        self, api: httpx.AsyncClient, others: Others, deal: Deal
    ) -> None:
        await others.say(deal.opened(), deal.recycled())

        task = await task_of(api, lead_id=deal.lead_id, role="marketing")
        assert (task["kind"], task["owner_id"]) == ("nurture", None)
        assert task["title"] == "Nurture Ada Lovelace: sales gave them back (no budget)"
        assert summary(await tasks_of(api, lead_id=deal.lead_id))["first_contact"] == "cancelled"

    async def test_a_reopened_deal_asks_for_first_contact_anew(
        self, api: httpx.AsyncClient, others: Others, deal: Deal
    ) -> None:
        await others.say(deal.opened(), disqualified(deal), deal.opened(reopened=True))

        states = [task["state"] for task in await tasks_of(api, lead_id=deal.lead_id)]
        assert states == ["cancelled", "open"]


class TestOwners:
    async def test_a_reassigned_deal_takes_its_tasks_along(
        self, api: httpx.AsyncClient, others: Others, deal: Deal
    ) -> None:
        new_owner = new_id()
        await others.say(deal.opened(), rep_changed(new_owner), deal.reassigned(new_owner))

        task = await task_of(api, owner_id=new_owner)
        assert (task["lead_id"], task["owner_name"]) == (str(deal.lead_id), "Grace Hopper")
        assert await tasks_of(api, owner_id=deal.owner_id) == []


class TestDisqualified:
    async def test_tasks_of_the_lead_are_cancelled_and_nothing_is_said(
        self, api: httpx.AsyncClient, others: Others, engine: AsyncEngine, deal: Deal
    ) -> None:
        await others.say(deal.opened())
        await others.say(disqualified(deal))

        task = await task_of(api, lead_id=deal.lead_id)
        assert (task["state"], task["cause"]) == ("cancelled", "lead_disqualified")
        assert await said(engine, deal.lead_id) == ["task.created"]

    async def test_the_end_is_the_same_when_the_scores_are_ahead_of_the_deals(
        self, api: httpx.AsyncClient, others: Others, engine: AsyncEngine, deal: Deal
    ) -> None:
        opened, ended = others.deliver(deal.opened()), others.deliver(disqualified(deal))
        again = others.deliver(deal.opened(reopened=True))
        await others.repeat([ended])
        await others.repeat([opened, again])

        states = [task["state"] for task in await tasks_of(api, lead_id=deal.lead_id)]
        assert states == ["cancelled", "open"]
        assert await said(engine, deal.lead_id) == ["task.created"]

    async def test_a_qualification_that_was_over_by_then_asks_for_nothing(
        self, api: httpx.AsyncClient, others: Others, deal: Deal
    ) -> None:
        qualified = new_id()
        await others.say(disqualified(deal))
        await others.repeat([others.deliver(deal.opened(), causation_id=qualified)])

        assert (await task_of(api, lead_id=deal.lead_id))["state"] == "cancelled"


class TestLeadCards:
    async def test_titles_use_the_highest_version_that_was_heard(
        self, api: httpx.AsyncClient, others: Others, deal: Deal
    ) -> None:
        card = LeadCard(first_name="Countess", last_name="Lovelace")
        newer = LeadUpdated(lead_id=deal.lead_id, lead_version=3, lead=card)
        await others.say(newer, deal.opened())

        assert (await task_of(api, lead_id=deal.lead_id))["title"] == (
            "First contact with Countess Lovelace"
        )


class TestErased:
    async def test_the_person_is_blanked_and_nothing_more_is_done_or_said(
        self, api: httpx.AsyncClient, others: Others, engine: AsyncEngine, deal: Deal
    ) -> None:
        await others.say(deal.opened())
        erased = LeadErased(lead_id=deal.lead_id, lead_version=9, erased_at=utc_now())
        await others.say(erased)
        await others.say(deal.won())

        task = await task_of(api, lead_id=deal.lead_id)
        assert (task["state"], task["cause"], task["title"]) == ("cancelled", "lead_erased", "")
        assert await said(engine, deal.lead_id) == ["task.created"]
        async with engine.connect() as connection:
            card = await connection.scalar(
                text("SELECT card FROM lead WHERE id = :id"), {"id": deal.lead_id}
            )
        assert card == {}

    async def test_a_lead_that_is_not_known_can_be_erased(
        self, api: httpx.AsyncClient, others: Others, deal: Deal
    ) -> None:
        erased = LeadErased(lead_id=deal.lead_id, lead_version=9, erased_at=utc_now())
        await others.say(erased)
        await others.say(deal.opened())

        assert await tasks_of(api, lead_id=deal.lead_id) == []


class TestManyAtOnce:
    async def test_five_hundred_leads_share_a_batch(
        self, api: httpx.AsyncClient, others: Others, engine: AsyncEngine
    ) -> None:
        deals = [Deal() for _ in range(250)]
        await others.say(*(event for deal in deals for event in (deal.opened(), deal.won())))

        for deal in deals[::50]:
            tasks = await tasks_of(api, lead_id=deal.lead_id)
            assert summary(tasks) == {
                "first_contact": "cancelled",
                "welcome_call": "open",
                "check_in": "open",
            }
            assert await said(engine, deal.lead_id) == ["task.created"] * 3


class TestStory:
    async def test_a_trace_shows_what_waits_and_what_was_cancelled_without_a_word(
        self, others: Others, engine: AsyncEngine, deal: Deal
    ) -> None:
        await others.say(deal.opened(), deal.lost())

        async with engine.connect() as connection:
            rows = await connection.execute(
                text("SELECT kind, name, note FROM story WHERE subject = :id AND kind <> 'said'"),
                {"id": deal.lead_id},
            )
            steps = {tuple(row) for row in rows}
        assert steps == {
            ("step", "task.cancelled", "first_contact: deal_closed"),
            ("waiting", "task.ask_why", "until it is due"),
        }
