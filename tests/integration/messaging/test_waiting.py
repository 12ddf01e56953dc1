"""What waits takes effect in its turn: behind a gap, behind poison, and when it is released."""

import asyncio
import time
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.conftest import (
    Killed,
    Tally,
    TallyDesk,
    delivery,
    erased,
    heard_of,
)
from tests.integration.messaging.test_consuming import mend, parked

from shared import limits
from shared.ids import LeadId, new_id
from shared.messaging import orders, subjects
from shared.messaging.lease import Lease
from shared.messaging.narrowing import Narrowing
from shared.messaging.orders import Orders
from shared.messaging.records import Delivery
from shared.messaging.release import Release, StillFailing
from shared.telemetry.heartbeat import Heartbeat

Consuming = Narrowing[TallyDesk]


@pytest.fixture
def lead() -> LeadId:
    return LeadId(new_id())


@pytest.fixture
def release(narrowing: Consuming, engine: AsyncEngine) -> Release[TallyDesk]:
    return Release(engine, narrowing.batch)


def blank(lead_id: UUID, sequence: int) -> Delivery:
    """Return an event that was given up by its publisher."""
    full = delivery(lead_id, sequence)
    return replace(full, envelope=replace(full.envelope, data=b"", blank="discarded"))


class TestBehindAGap:
    async def test_an_early_event_of_the_same_batch_takes_effect_in_its_turn(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId
    ) -> None:
        await narrowing.see_through([delivery(lead, 2), delivery(lead, 1)], cautious=False)
        await narrowing.see_through([delivery(lead, 3)], cautious=False)

        assert await heard_of(engine, lead) == ["1", "2", "3"]
        assert await parked(engine, lead) == []

    async def test_a_blank_event_closes_a_gap_too(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId
    ) -> None:
        await narrowing.see_through([delivery(lead, 2), delivery(lead, 3)], cautious=False)
        await narrowing.see_through([blank(lead, 1)], cautious=False)

        assert await heard_of(engine, lead) == ["2", "3"]

    async def test_a_blank_event_that_waited_is_passed_over_in_its_turn(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId
    ) -> None:
        await narrowing.see_through([blank(lead, 2), delivery(lead, 3)], cautious=False)
        await narrowing.see_through([delivery(lead, 1)], cautious=False)

        assert await heard_of(engine, lead) == ["1", "3"]

    async def test_poison_behind_a_gap_does_not_lose_the_event_that_closes_it(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId,
        release: Release[TallyDesk],
    ) -> None:  # fmt: skip
        await narrowing.see_through([delivery(lead, 2, "poison")], cautious=False)
        await narrowing.see_through([delivery(lead, 1), delivery(lead, 3)], cautious=False)
        before = await parked(engine, lead)
        with pytest.raises(StillFailing):
            await release.release(lead)

        assert before == [(1, "behind"), (2, "poison"), (3, "behind")]
        assert await heard_of(engine, lead) == ["1"]
        assert await parked(engine, lead) == [(2, "poison"), (3, "behind")]


class TestReleasing:
    async def test_what_still_waits_for_a_missing_event_stays_and_the_answer_says_so(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId,
        release: Release[TallyDesk],
    ) -> None:  # fmt: skip
        await narrowing.see_through([delivery(lead, 2)], cautious=False)

        async with asyncio.timeout(5):
            with pytest.raises(StillFailing, match=r"#2 waits for one before it that is missing"):
                await release.release(lead)
        assert await parked(engine, lead) == [(2, "gap")]

    async def test_what_was_behind_poison_and_early_takes_effect_once_the_missing_one_is_here(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId,
        release: Release[TallyDesk], monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        await narrowing.see_through([delivery(lead, 1, "poison"), delivery(lead, 3)],
                                    cautious=False)  # fmt: skip
        mend(monkeypatch)
        async with asyncio.timeout(5):
            await release.release(lead)
        await narrowing.see_through([delivery(lead, 2)], cautious=False)

        assert await heard_of(engine, lead) == ["POISON", "2", "3"]

    async def test_a_rewritten_past_cannot_be_released(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId,
        release: Release[TallyDesk],
    ) -> None:  # fmt: skip
        await narrowing.see_through([delivery(lead, 1)], cautious=False)
        await narrowing.see_through([delivery(lead, 1)], cautious=False)

        async with asyncio.timeout(5):
            with pytest.raises(StillFailing):
                await release.release(lead)
        assert await parked(engine, lead) == [(1, "conflict")]

    async def test_what_the_database_refuses_fails_again_and_stays(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId,
        release: Release[TallyDesk],
    ) -> None:  # fmt: skip
        await narrowing.see_through([delivery(lead, 1, "unstorable")], cautious=False)

        with pytest.raises(StillFailing):
            await release.release(lead)
        assert await parked(engine, lead) == [(1, "poison")]


class TestOrders:
    async def test_a_lead_that_somebody_holds_holds_up_no_other_order(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId, tally: Tally
    ) -> None:
        other = LeadId(new_id())
        some = [delivery(each, 1, "poison") for each in (lead, other)]
        await narrowing.see_through(some, cautious=False)
        first, second = [await _ask_to_discard(engine, each) for each in (lead, other)]

        async with engine.begin() as holder:
            await holder.execute(
                text("SELECT id FROM subject WHERE id = :id FOR UPDATE"), {"id": lead}
            )
            await _run(engine, tally, until=second)
            async with engine.connect() as connection:
                held = await orders.look(connection, first)
        await _run(engine, tally, until=first)

        assert held is not None
        assert held.done_at is None
        assert await parked(engine, lead) == []

    async def test_a_busy_event_of_a_poisoned_lead_waits_for_a_person(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId, tally: Tally,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        other = LeadId(new_id())
        await narrowing.see_through(
            [delivery(lead, 1, "poison"), delivery(lead, 2), delivery(other, 1, "poison")],
            cautious=False,
        )
        async with engine.begin() as connection:
            await connection.execute(
                text(
                    "UPDATE parked_event SET reason = 'busy', parked_at = parked_at - interval '1m'"
                    " WHERE subject = :id AND sequence = 2"
                ),
                {"id": lead},
            )
        mend(monkeypatch)

        await _run(engine, tally, until=await _ask_to_discard(engine, other))

        assert await parked(engine, lead) == [(1, "poison"), (2, "busy")]

    async def test_an_event_that_ends_the_process_ends_it_three_times_and_no_more(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId, tally: Tally,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        await narrowing.see_through([delivery(lead, 1, "poison")], cautious=False)
        order = await _ask(engine, lead, verb="release")
        deaths: list[UUID] = []

        async def die(_self: Release[TallyDesk], subject: UUID) -> int:
            deaths.append(subject)
            raise Killed

        with monkeypatch.context() as dying:
            dying.setattr(Release, "release", die)
            for _ in range(3):
                with pytest.raises(Killed):
                    await _run(engine, tally, until=order)
            await _run(engine, tally, until=order)

        assert deaths == [lead] * 3
        assert await _error_of(engine, order) == "the process ended each time that this was tried"
        assert await parked(engine, lead) == [(1, "poison")]

    async def test_a_lead_that_was_merged_is_released_by_either_of_its_names(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId,
        release: Release[TallyDesk], monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        target = LeadId(new_id())
        async with engine.begin() as connection:
            await subjects.lock(connection, [lead, target])
            await connection.execute(
                text("UPDATE subject SET alias_of = :target WHERE id = :lead"),
                {"lead": lead, "target": target},
            )
        await narrowing.see_through([delivery(lead, 1, "poison")], cautious=False)
        mend(monkeypatch)
        await release.release(lead)
        await narrowing.see_through([delivery(lead, 2), delivery(target, 1)], cautious=False)

        assert await parked(engine, lead) == await parked(engine, target) == []
        assert await heard_of(engine, target) == ["POISON", "2", "1"]

    async def test_erasure_takes_away_what_an_order_quoted(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId, tally: Tally
    ) -> None:
        await narrowing.see_through([delivery(lead, 1, "poison")], cautious=False)
        order = await _ask(engine, lead, verb="release")
        await _run(engine, tally, until=order)
        before = await _error_of(engine, order)
        await narrowing.see_through([delivery(lead, 2, event=erased(lead))], cautious=False)

        assert before is not None
        assert "cannot be heard" in before
        assert await _error_of(engine, order) == "erased"


async def _error_of(engine: AsyncEngine, order: UUID) -> str | None:
    async with engine.connect() as connection:
        row = await orders.look(connection, order)
        return row.error if row else None


async def _ask_to_discard(engine: AsyncEngine, lead_id: UUID) -> UUID:
    return await _ask(engine, lead_id, verb="discard")


async def _ask(engine: AsyncEngine, lead_id: UUID, *, verb: str) -> UUID:
    async with engine.begin() as connection:
        return await orders.ask(connection, verb=verb, subject=lead_id, actor="a test", reason=None)


async def _run(engine: AsyncEngine, tally: Tally, *, until: UUID) -> None:
    """Let the worker carry out orders until this one is done."""
    stop = asyncio.Event()
    lease = Lease(engine, name="orders", owner="one")
    worker = Orders(engine, "lead-scoring", tally, lease, Heartbeat("orders"))
    running = asyncio.create_task(worker.run(stop))
    try:
        async with asyncio.timeout(10):
            while not running.done() and not await _is_done(engine, until):
                await asyncio.sleep(0.1)
    finally:
        stop.set()
        await running


async def _is_done(engine: AsyncEngine, order: UUID) -> bool:
    async with engine.connect() as connection:
        row = await orders.look(connection, order)
        return row is not None and row.done_at is not None


class TestHeldBySomebody:
    async def test_a_lead_that_is_held_is_waited_for_once_and_releases_itself(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId, release: Release[TallyDesk]
    ) -> None:
        other = new_id()
        heard = delivery(lead, 1)
        await narrowing.see_through([heard, delivery(other, 1)], cautious=False)
        async with engine.begin() as connection:
            await subjects.lock(connection, [lead])
            await narrowing.see_through([delivery(lead, 2), delivery(other, 2)], cautious=False)
            began = time.monotonic()
            again = [heard, delivery(lead, 3), delivery(other, 3)]
            await narrowing.see_through(again, cautious=False)
            waited_again = time.monotonic() - began

        assert await heard_of(engine, other) == ["1", "2", "3"]
        assert await parked(engine, lead) == [(2, "busy"), (3, "busy")]
        assert waited_again < limits.LOCK
        await release.release(lead)
        await narrowing.see_through([delivery(lead, 4)], cautious=False)
        assert await heard_of(engine, lead) == ["1", "2", "3", "4"]

    async def test_leads_that_are_held_are_waited_for_together(
        self, narrowing: Consuming, engine: AsyncEngine
    ) -> None:
        held, free = [new_id() for _ in range(3)], new_id()
        batch = [delivery(each, 1) for each in (*held, free)]
        await narrowing.see_through(batch, cautious=False)
        async with engine.begin() as connection:
            await subjects.lock(connection, held)
            began = time.monotonic()
            batch = [delivery(each, 2) for each in (*held, free)]
            await narrowing.see_through(batch, cautious=False)
            waited = time.monotonic() - began

        assert waited < 2 * limits.LOCK
        assert await heard_of(engine, free) == ["1", "2"]
        assert [await parked(engine, each) for each in held] == 3 * [[(2, "busy")]]
