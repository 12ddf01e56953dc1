"""An event's effect happens once and in order, whatever comes twice, early, late or broken."""

from collections.abc import Sequence
from dataclasses import replace
from unittest.mock import ANY, AsyncMock
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.conftest import (
    LEADS,
    Killed,
    Tally,
    TallyDesk,
    delivery,
    erased,
    heard_of,
)

from shared.contracts import catalogue
from shared.contracts.catalogue import UnknownVersion
from shared.contracts.envelope import Envelope
from shared.contracts.event import Event
from shared.ids import LeadId, new_id
from shared.messaging import attempts
from shared.messaging.batch import Batch, Failure
from shared.messaging.narrowing import Narrowing
from shared.messaging.records import Delivery
from shared.messaging.release import Release, StillFailing

Consuming = Narrowing[TallyDesk]


async def reset(*_: object) -> None:
    raise ConnectionResetError


async def parked(engine: AsyncEngine, lead_id: UUID) -> list[tuple[int, str]]:
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT sequence, reason FROM parked_event WHERE subject = :id ORDER BY sequence"),
            {"id": lead_id},
        )
        return [(row.sequence, row.reason) for row in rows]


@pytest.fixture
def lead() -> LeadId:
    return LeadId(new_id())


class TestOrder:
    async def test_events_of_a_lead_take_effect_in_order(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId
    ) -> None:
        await narrowing.see_through([delivery(lead, n) for n in (1, 2, 3)], cautious=False)

        assert await heard_of(engine, lead) == ["1", "2", "3"]

    async def test_what_comes_twice_has_its_effect_once(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId
    ) -> None:
        some = [delivery(lead, n) for n in (1, 2)]
        await narrowing.see_through([*some, *some], cautious=False)
        await narrowing.see_through(some, cautious=False)

        assert await heard_of(engine, lead) == ["1", "2"]

    async def test_an_early_event_waits_for_the_one_before_it(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId
    ) -> None:
        await narrowing.see_through([delivery(lead, n) for n in (1, 3, 4)], cautious=False)
        before = await heard_of(engine, lead), await parked(engine, lead)
        await narrowing.see_through([delivery(lead, 2)], cautious=False)

        assert before == (["1"], [(3, "gap"), (4, "gap")])
        assert await heard_of(engine, lead) == ["1", "2", "3", "4"]
        assert await parked(engine, lead) == []

    async def test_a_young_lead_whose_first_event_is_missing_waits(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId
    ) -> None:
        await narrowing.see_through([delivery(lead, 2)], cautious=False)

        assert await heard_of(engine, lead) == []
        assert await parked(engine, lead) == [(2, "gap")]

    async def test_the_last_number_with_another_id_parks_the_lead(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId
    ) -> None:
        await narrowing.see_through([delivery(lead, 1)], cautious=False)
        await narrowing.see_through([delivery(lead, 1), delivery(lead, 2)], cautious=False)

        assert await heard_of(engine, lead) == ["1"]
        assert await parked(engine, lead) == [(1, "conflict"), (2, "behind")]


class TestSaying:
    async def test_what_a_use_case_says_is_numbered_in_its_order(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId
    ) -> None:
        await narrowing.see_through([delivery(lead, n) for n in (1, 2, 3)], cautious=False)

        async with engine.connect() as connection:
            rows = await connection.execute(
                text("SELECT sequence FROM outbox WHERE subject = :id ORDER BY id"), {"id": lead}
            )
            assert [row.sequence for row in rows] == [1, 2, 3]


class TestPoison:
    async def test_poison_costs_its_own_lead_and_no_neighbour(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId
    ) -> None:
        other = LeadId(new_id())
        await narrowing.see_through(
            [delivery(lead, 1), delivery(other, 1), delivery(lead, 2, "poison"),
             delivery(lead, 3), delivery(other, 2)],
            cautious=False,
        )  # fmt: skip

        assert await heard_of(engine, other) == ["1", "2"]
        assert await heard_of(engine, lead) == ["1"]
        assert await parked(engine, lead) == [(2, "poison"), (3, "behind")]

    async def test_a_value_that_the_database_refuses_is_found_among_many(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId
    ) -> None:
        others = [LeadId(new_id()) for _ in range(9)]
        some = [delivery(other, 1) for other in others]
        await narrowing.see_through(
            [*some[:5], delivery(lead, 1, "unstorable"), *some[5:]], cautious=False
        )

        assert [await heard_of(engine, other) for other in others] == [["1"]] * 9
        assert await parked(engine, lead) == [(1, "poison")]

    async def test_an_event_that_ends_the_process_is_parked_after_three_tries(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId
    ) -> None:
        killer, other = delivery(lead, 1, "kill"), LeadId(new_id())
        innocent = delivery(other, 1)
        for _ in range(3):
            with pytest.raises(Killed):
                await narrowing.see_through([innocent, killer], cautious=True)
        await narrowing.see_through([innocent, killer], cautious=True)

        assert await parked(engine, lead) == [(1, "poison")]
        assert await heard_of(engine, other) == ["1"]

    async def test_after_a_death_its_neighbours_go_few_together_not_one_by_one(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        others = [LeadId(new_id()) for _ in range(100)]
        some = [*(delivery(other, 1) for other in others), delivery(lead, 1, "kill")]
        transactions: list[int] = []
        run = narrowing.batch.run

        async def watched(deliveries: Sequence[Delivery], **how: bool) -> list[Failure]:
            transactions.append(len(deliveries))
            return await run(deliveries, **how)

        monkeypatch.setattr(Batch, "run", lambda _, deliveries, **how: watched(deliveries, **how))
        for _ in range(3):
            with pytest.raises(Killed):
                await narrowing.see_through(some, cautious=True)
        await narrowing.see_through(some, cautious=True)

        assert await parked(engine, lead) == [(1, "poison")]
        assert {other: await heard_of(engine, other) for other in others} == {
            other: ["1"] for other in others
        }
        assert transactions[0] == len(some)
        assert transactions.count(1) <= 40

    async def test_tries_that_an_outage_ended_are_no_deaths(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        some = [delivery(lead, 1), delivery(LeadId(new_id()), 1)]
        with monkeypatch.context() as away:
            away.setattr(Tally, "save", reset)
            for _ in range(2 * attempts.MOST):
                with pytest.raises(ConnectionResetError):
                    await narrowing.see_through(some, cautious=True)
        await narrowing.see_through(some, cautious=True)

        assert await heard_of(engine, lead) == ["1"]
        assert await parked(engine, lead) == []

    async def test_release_runs_what_is_parked_in_order_once_the_cause_is_gone(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        await narrowing.see_through(
            [delivery(lead, 1), delivery(lead, 2, "poison"), delivery(lead, 3)], cautious=False
        )
        release = Release(engine, narrowing.batch)
        with pytest.raises(StillFailing):
            await release.release(lead)
        mend(monkeypatch)

        count = await release.release(lead)
        await narrowing.see_through([delivery(lead, 4)], cautious=False)

        assert count == 2
        assert await heard_of(engine, lead) == ["1", "POISON", "3", "4"]
        assert await parked(engine, lead) == []

    async def test_discard_moves_past_what_is_parked(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId
    ) -> None:
        await narrowing.see_through(
            [delivery(lead, 1), delivery(lead, 2, "poison"), delivery(lead, 3)], cautious=False
        )

        noted = AsyncMock()
        await Release(engine, narrowing.batch).discard(lead, noted)
        await narrowing.see_through([delivery(lead, 4)], cautious=False)

        noted.assert_awaited_once_with(ANY, 2)
        assert await heard_of(engine, lead) == ["1", "4"]


class TestErasure:
    async def test_erasure_overtakes_what_is_parked_and_nothing_revives_the_lead(
        self, narrowing: Consuming, engine: AsyncEngine, tally: Tally, lead: LeadId
    ) -> None:
        await narrowing.see_through(
            [delivery(lead, 1), delivery(lead, 2, "poison"), delivery(lead, 3)], cautious=False
        )
        await narrowing.see_through([delivery(lead, 4, event=erased(lead))], cautious=False)
        await narrowing.see_through([delivery(lead, 5), delivery(lead, 7)], cautious=False)

        assert await heard_of(engine, lead) == []
        assert await parked(engine, lead) == []
        assert tally.forgotten == [lead]
        async with engine.connect() as connection:
            last = await connection.scalar(
                text("SELECT last_sequence FROM heard WHERE subject = :id AND topic = :topic"),
                {"id": lead, "topic": LEADS},
            )
            assert last == 7


class TestVersions:
    async def test_a_newer_version_of_a_known_kind_stops_everything_and_parks_nobody(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId
    ) -> None:
        known = delivery(lead, 1)
        newer = replace(known, envelope=replace(known.envelope, version=2))

        with pytest.raises(UnknownVersion):
            narrowing.batch.refuse_unknown_versions([newer])

        assert await parked(engine, lead) == []


def mend(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deploy the fix: what was poison can be heard."""
    broken = catalogue.read

    def read(envelope: Envelope) -> Event | None:
        return broken(replace(envelope, data=envelope.data.replace(b"poison", b"POISON")))

    monkeypatch.setattr(catalogue, "read", read)
