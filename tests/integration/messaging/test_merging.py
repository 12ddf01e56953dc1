"""Two leads merge while their events are in flight: none is lost, doubled or out of order."""

from collections.abc import Sequence
from unittest.mock import ANY, AsyncMock
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging import conftest
from tests.integration.messaging.conftest import (
    Tally,
    TallyDesk,
    delivery,
    erased,
    heard_of,
    merged,
)

from shared.ids import LeadId, new_id
from shared.messaging.narrowing import Narrowing
from shared.messaging.records import Delivery
from shared.messaging.release import Release

Consuming = Narrowing[TallyDesk]


@pytest.fixture
def goes() -> LeadId:
    return LeadId(new_id())


@pytest.fixture
def stays() -> LeadId:
    return LeadId(new_id())


def merge_on(stream: UUID, sequence: int, gone: UUID, into: UUID, company: str = "") -> Delivery:
    event = merged(stream, gone, into=into, company=company)
    return delivery(stream, sequence, event=event)


async def subject(engine: AsyncEngine, name: UUID) -> tuple[UUID | None, str | None, bool]:
    """Return whose alias a name is, why it is parked, and whether it is erased."""
    async with engine.connect() as connection:
        row = (
            await connection.execute(text("SELECT * FROM subject WHERE id = :id"), {"id": name})
        ).one()
        return row.alias_of, row.parked_as, row.erased_at is not None


async def parked(engine: AsyncEngine, *names: UUID) -> list[tuple[int, str]]:
    async with engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT sequence, reason FROM parked_event WHERE subject = ANY(:ids)"
                " ORDER BY sequence, reason"
            ),
            {"ids": list(names)},
        )
        return [(row.sequence, row.reason) for row in rows]


async def hear(narrowing: Consuming, *batches: Sequence[Delivery]) -> None:
    for batch in batches:
        await narrowing.see_through(batch, cautious=False)


class TestEitherEventDoesItAll:
    @pytest.mark.parametrize("order", ["alias", "survivor", "together", "together reversed"])
    async def test_whichever_is_heard_first(
        self, order: str, narrowing: Consuming, engine: AsyncEngine, goes: LeadId, stays: LeadId
    ) -> None:
        ours = [delivery(stays, 1, "b1"), merge_on(stays, 2, goes, stays), delivery(stays, 3, "b3")]
        theirs = [delivery(goes, 1, "a1"), merge_on(goes, 2, goes, stays), delivery(goes, 3, "a3")]
        batches = {
            "alias": [theirs, ours],
            "survivor": [ours, theirs],
            "together": [[*theirs, *ours]],
            "together reversed": [[*ours, *theirs]],
        }
        await hear(narrowing, *batches[order])

        heard = await heard_of(engine, stays)
        assert sorted(heard) == ["a1", "a3", "b1", "b3"]
        assert heard.index("a1") < heard.index("a3")
        assert heard.index("b1") < heard.index("b3")
        assert await heard_of(engine, goes) == []
        assert await subject(engine, goes) == (stays, None, False)

    async def test_one_of_the_two_is_enough_and_repeats_change_nothing(
        self, narrowing: Consuming, engine: AsyncEngine, goes: LeadId, stays: LeadId
    ) -> None:
        merge = merge_on(goes, 2, goes, stays)
        some = [delivery(goes, 1, "a1"), delivery(stays, 1, "b1"), merge]
        await hear(narrowing, some, some, [merge])

        assert sorted(await heard_of(engine, stays)) == ["a1", "b1"]

    async def test_what_is_said_of_the_alias_later_is_said_of_the_survivor(
        self, narrowing: Consuming, engine: AsyncEngine, goes: LeadId, stays: LeadId
    ) -> None:
        await hear(narrowing, [merge_on(goes, 1, goes, stays)], [delivery(goes, 2, "a2")])

        async with engine.connect() as connection:
            rows = await connection.execute(
                text("SELECT subject FROM outbox WHERE subject IN (:a, :b)"),
                {"a": goes, "b": stays},
            )
            assert [row.subject for row in rows] == [stays]

    @pytest.mark.parametrize("first", ["inner", "outer"])
    @pytest.mark.parametrize("together", [True, False])
    async def test_a_chain_of_merges_needs_one_step_only(
        self, narrowing: Consuming, engine: AsyncEngine, *, first: str, together: bool
    ) -> None:
        a, b, c = new_id(), new_id(), new_id()
        inner = [delivery(a, 1, "a1"), merge_on(a, 2, a, b), delivery(a, 3, "a3")]
        outer = [delivery(c, 1, "c1"), merge_on(c, 2, b, c), delivery(c, 3, "c3")]
        both = [inner, outer] if first == "inner" else [outer, inner]
        await hear(narrowing, *([[*both[0], *both[1]]] if together else both))
        await hear(narrowing, [delivery(b, 1, "b1")])

        assert sorted(await heard_of(engine, c)) == ["a1", "a3", "b1", "c1", "c3"]
        assert [(await subject(engine, name))[0] for name in (a, b, c)] == [c, c, None]

    async def test_a_merge_that_waited_for_a_gap_is_taken_up_with_both_locked(
        self, narrowing: Consuming, engine: AsyncEngine, goes: LeadId, stays: LeadId
    ) -> None:
        await hear(narrowing, [merge_on(goes, 2, goes, stays), delivery(goes, 3, "a3")])
        before = await parked(engine, goes)
        await hear(narrowing, [delivery(goes, 1, "a1")])

        assert before == [(2, "gap"), (3, "gap")]
        assert await heard_of(engine, stays) == ["a1", "a3"]
        assert await parked(engine, goes) == []


class TestOneFate:
    @pytest.mark.parametrize("sick", ["alias", "survivor"])
    async def test_poison_of_one_name_parks_the_lead_under_all_its_names(
        self, sick: str, narrowing: Consuming, engine: AsyncEngine, goes: LeadId, stays: LeadId
    ) -> None:
        ill, well = (goes, stays) if sick == "alias" else (stays, goes)
        await hear(
            narrowing,
            [merge_on(goes, 1, goes, stays), merge_on(stays, 1, goes, stays)],
            [delivery(ill, 2, "poison")],
            [delivery(well, 2, "later"), delivery(ill, 3, "later")],
        )

        assert await subject(engine, stays) == (None, "poison", False)
        assert await heard_of(engine, stays) == []
        assert await parked(engine, goes, stays) == [(2, "behind"), (2, "poison"), (3, "behind")]

    async def test_a_merge_that_fails_leaves_nothing_of_either_half_done(
        self, narrowing: Consuming, engine: AsyncEngine, goes: LeadId, stays: LeadId
    ) -> None:
        failures = await narrowing.batch.run(
            [
                delivery(stays, 1, "b1"),
                delivery(goes, 1, "a1"),
                merge_on(goes, 2, goes, stays, "poison"),
                delivery(stays, 2, "b2"),
            ]
        )

        assert [failure.subjects for failure in failures] == [{goes, stays}]
        assert await heard_of(engine, stays) == await heard_of(engine, goes) == []
        async with engine.connect() as connection:
            moved = "SELECT count(*) FROM stream WHERE subject IN (:a, :b)"
            assert await connection.scalar(text(moved), {"a": goes, "b": stays}) == 0

    async def test_who_fails_to_merge_is_parked_alone_and_the_other_goes_on(
        self, narrowing: Consuming, engine: AsyncEngine, goes: LeadId, stays: LeadId
    ) -> None:
        await hear(
            narrowing,
            [
                delivery(stays, 1, "b1"),
                delivery(goes, 1, "a1"),
                merge_on(goes, 2, goes, stays, "poison"),
                delivery(stays, 2, "b2"),
            ],
        )

        assert await heard_of(engine, stays) == ["b1", "b2"]
        assert await heard_of(engine, goes) == ["a1"]
        assert await subject(engine, goes) == (None, "poison", False)

    async def test_a_rewritten_past_of_the_alias_parks_the_survivor(
        self, narrowing: Consuming, engine: AsyncEngine, goes: LeadId, stays: LeadId
    ) -> None:
        await hear(
            narrowing,
            [merge_on(goes, 1, goes, stays)],
            [delivery(goes, 1, "another"), delivery(stays, 1, "b1")],
        )

        assert await subject(engine, stays) == (None, "conflict", False)
        assert await heard_of(engine, stays) == []


class TestMergingWhoIsParked:
    async def test_the_other_stream_merges_and_the_mark_goes_over(
        self, narrowing: Consuming, engine: AsyncEngine, goes: LeadId, stays: LeadId
    ) -> None:
        await hear(
            narrowing,
            [delivery(goes, 1, "poison"), merge_on(goes, 2, goes, stays)],
            [delivery(stays, 1, "b1"), merge_on(stays, 2, goes, stays), delivery(stays, 3, "b3")],
        )

        assert await subject(engine, goes) == (stays, None, False)
        assert await subject(engine, stays) == (None, "poison", False)
        assert await heard_of(engine, stays) == ["b1"]
        assert await parked(engine, stays) == [(3, "behind")]

    @pytest.mark.parametrize("by", ["alias", "survivor"])
    async def test_it_is_released_by_either_name_with_all_that_waits(
        self,
        by: str,
        monkeypatch: pytest.MonkeyPatch,
        narrowing: Consuming,
        engine: AsyncEngine,
        goes: LeadId,
        stays: LeadId,
    ) -> None:
        await hear(
            narrowing,
            [delivery(goes, 1, "poison"), merge_on(goes, 2, goes, stays)],
            [merge_on(stays, 1, goes, stays), delivery(stays, 2, "b2")],
        )
        heal(monkeypatch)
        count = await Release(engine, narrowing.batch).release(goes if by == "alias" else stays)

        assert count == 3
        assert sorted(await heard_of(engine, stays)) == ["b2", "poison"]
        assert await subject(engine, stays) == (None, None, False)
        assert await parked(engine, goes, stays) == []

    async def test_both_parked_merge_by_release(
        self,
        monkeypatch: pytest.MonkeyPatch,
        narrowing: Consuming,
        engine: AsyncEngine,
        goes: LeadId,
        stays: LeadId,
    ) -> None:
        await hear(
            narrowing,
            [delivery(goes, 1, "poison"), merge_on(goes, 2, goes, stays)],
            [delivery(stays, 1, "poison"), merge_on(stays, 2, goes, stays)],
        )
        heal(monkeypatch)
        await Release(engine, narrowing.batch).release(goes)

        assert await heard_of(engine, stays) == ["poison", "poison"]
        assert await subject(engine, stays) == (None, None, False)
        assert await subject(engine, goes) == (stays, None, False)

    async def test_it_is_discarded_by_either_name(
        self, narrowing: Consuming, engine: AsyncEngine, goes: LeadId, stays: LeadId
    ) -> None:
        await hear(
            narrowing,
            [merge_on(goes, 1, goes, stays)],
            [delivery(stays, 1, "poison")],
            [delivery(goes, 2, "a2")],
        )
        noted = AsyncMock()
        await Release(engine, narrowing.batch).discard(goes, noted)
        await hear(narrowing, [delivery(goes, 3, "a3"), delivery(stays, 2, "b2")])

        noted.assert_awaited_once_with(ANY, 2)
        assert sorted(await heard_of(engine, stays)) == ["a3", "b2"]


class TestErasure:
    @pytest.mark.parametrize("by", ["alias", "survivor"])
    async def test_a_merged_lead_is_erased_under_all_its_names(
        self,
        by: str,
        narrowing: Consuming,
        engine: AsyncEngine,
        tally: Tally,
        goes: LeadId,
        stays: LeadId,
    ) -> None:
        name = goes if by == "alias" else stays
        await hear(
            narrowing,
            [delivery(goes, 1, "a1"), merge_on(goes, 2, goes, stays), delivery(stays, 1, "b1")],
            [delivery(stays, 3, "early"), delivery(goes, 4, "early")],
            [delivery(name, 5, event=erased(name))],
            [delivery(stays, 6, "late"), delivery(goes, 6, "late")],
        )

        assert await heard_of(engine, stays) == await heard_of(engine, goes) == []
        assert set(tally.forgotten) == {goes, stays}
        assert [(await subject(engine, each))[2] for each in (goes, stays)] == [True, True]
        assert await parked(engine, goes, stays) == []

    @pytest.mark.parametrize("first", ["alias", "survivor"])
    async def test_a_merge_with_who_is_erased_here_already_erases_the_other(
        self, first: str, narrowing: Consuming, engine: AsyncEngine, goes: LeadId, stays: LeadId
    ) -> None:
        gone, left = (goes, stays) if first == "alias" else (stays, goes)
        await hear(
            narrowing,
            [delivery(left, 1, "known")],
            [delivery(gone, 9, event=erased(gone))],
            [merge_on(left, 2, goes, stays)],
        )

        assert await heard_of(engine, left) == []
        assert (await subject(engine, left))[2]


def heal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mend what could not hear `poison`."""

    def note(desk: TallyDesk, heard: object, _now: object) -> list[object]:
        desk.heard.setdefault(heard.subject, []).append(heard.event.lead.company)  # type: ignore[attr-defined]
        return []

    monkeypatch.setattr(conftest, "note", note)
