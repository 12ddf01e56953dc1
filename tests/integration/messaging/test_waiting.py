"""What waits takes effect in its turn: behind a gap, behind poison, and when it is released."""

import asyncio
import time
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.integration.messaging.conftest import (
    Cut,
    TallyDesk,
    delivery,
    heard_of,
)
from tests.integration.messaging.test_consuming import mend, parked

from shared import limits
from shared.contracts import catalogue
from shared.contracts.envelope import Envelope
from shared.contracts.event import Event
from shared.ids import LeadId, new_id
from shared.messaging import attempts, subjects
from shared.messaging.batch import Batch
from shared.messaging.narrowing import Narrowing
from shared.messaging.records import Delivery
from shared.messaging.release import Release, StillFailing

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
            with pytest.raises(StillFailing, match=r"#3 waits for one before it") as released:
                await release.release(lead)
        await narrowing.see_through([delivery(lead, 2)], cautious=False)

        assert released.value.count == 1
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

    async def test_of_a_rewritten_past_what_came_second_is_given_up_and_the_rest_takes_effect(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId,
        release: Release[TallyDesk],
    ) -> None:  # fmt: skip
        await narrowing.see_through([delivery(lead, 1)], cautious=False)
        await narrowing.see_through(
            [delivery(lead, 1, "again"), delivery(lead, 2), delivery(lead, 3)], cautious=False
        )
        given_up: list[int] = []

        async def note(_connection: AsyncConnection, count: int) -> None:
            given_up.append(count)

        await release.discard(lead, note)

        assert given_up == [1]
        assert await heard_of(engine, lead) == ["1", "2", "3"]
        assert await parked(engine, lead) == []

    async def test_what_the_database_refuses_fails_again_and_stays(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId,
        release: Release[TallyDesk],
    ) -> None:  # fmt: skip
        await narrowing.see_through([delivery(lead, 1, "unstorable")], cautious=False)

        with pytest.raises(StillFailing):
            await release.release(lead)
        assert await parked(engine, lead) == [(1, "poison")]

    async def test_an_outage_is_no_try_of_the_event(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId
    ) -> None:
        await narrowing.see_through([delivery(lead, 1, "poison")], cautious=False)
        cut = Cut(outages=2 * attempts.MOST)
        release = Release(engine, Batch(engine, cut, narrowing.batch.started_at))
        for _ in range(2 * attempts.MOST):
            with pytest.raises(ConnectionResetError):
                await release.release(lead)
        with pytest.raises(StillFailing, match="ValueError"):
            await release.release(lead)

    async def test_an_error_that_repeats_is_kept_as_short_as_the_first(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId,
        release: Release[TallyDesk], monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        await narrowing.see_through([delivery(lead, 1, "poison")], cautious=False)

        def read(_envelope: Envelope) -> Event:
            raise catalogue.Unreadable("much" * 10_000)

        monkeypatch.setattr(catalogue, "read", read)
        with pytest.raises(StillFailing):
            await release.release(lead)
        async with engine.connect() as connection:
            sql = "SELECT error, traceback FROM parked_event WHERE subject = :id"
            row = (await connection.execute(text(sql), {"id": lead})).one()

        assert row.error.startswith("Unreadable: muchmuch")
        assert (len(row.error), len(row.traceback)) == (500, 20_000)

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
