"""Orders about what is parked, and what was busy: the worker's loop carries them out."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.integration.messaging.conftest import (
    LEADS,
    Killed,
    Tally,
    TallyDesk,
    delivery,
    heard_of,
)
from tests.integration.messaging.test_consuming import mend, parked

from shared import crash_points
from shared.ids import LeadId, new_id
from shared.messaging import attempts, parking, parking_orders
from shared.messaging.heard import Heard
from shared.messaging.lease import Lease
from shared.messaging.narrowing import Narrowing
from shared.messaging.orders import Orders
from shared.messaging.parking import Parked
from shared.messaging.release import Release
from shared.telemetry.heartbeat import Heartbeat

Consuming = Narrowing[TallyDesk]


@dataclass
class Frail(Tally):
    """A tally whose process ends at the first try of each event."""

    tried: set[UUID] = field(default_factory=set[UUID])

    async def load(self, connection: AsyncConnection, heard: Sequence[Heard[Any]]) -> TallyDesk:
        events = {each.envelope.event_id for each in heard}
        if not events <= self.tried:
            self.tried |= events
            raise Killed
        return await super().load(connection, heard)


def _killed(_point: str) -> None:
    raise Killed


COMPANIES = ("poison", "2", "unstorable", "4")


@pytest.fixture
def lead() -> LeadId:
    return LeadId(new_id())


async def busy(engine: AsyncEngine, lead_id: UUID, sequence: int) -> None:
    """Make a parked event one that has been busy for a minute."""
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "UPDATE parked_event SET reason = 'busy', parked_at = parked_at - interval '1m'"
                " WHERE subject = :id AND sequence = :sequence"
            ),
            {"id": lead_id, "sequence": sequence},
        )


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
                held = await parking_orders.look(connection, first)
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
        await busy(engine, lead, 2)
        mend(monkeypatch)

        await _run(engine, tally, until=await _ask_to_discard(engine, other))

        assert await parked(engine, lead) == [(1, "poison"), (2, "busy")]

    async def test_a_busy_event_that_waits_for_a_missing_one_is_a_gap_from_then_on(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId, tally: Tally
    ) -> None:
        await narrowing.see_through([delivery(lead, 2), delivery(lead, 3)], cautious=False)
        await busy(engine, lead, 2)
        await _run(engine, tally, until=await _ask_to_discard(engine, LeadId(new_id())))
        before = await parked(engine, lead)
        await narrowing.see_through([delivery(lead, 1)], cautious=False)

        assert before == [(2, "gap"), (3, "gap")]
        assert await heard_of(engine, lead) == ["1", "2", "3"]

    async def test_what_releases_itself_lifts_no_hold_that_waits_for_a_person(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId, tally: Tally
    ) -> None:
        await narrowing.see_through([delivery(lead, 2)], cautious=False)
        await busy(engine, lead, 2)
        async with engine.begin() as connection:
            values = {"topic": LEADS, "lead": lead}
            await connection.execute(
                text("INSERT INTO outbox_held VALUES (:topic, :lead, 'too long')"), values
            )
        await _run(engine, tally, until=await _ask_to_discard(engine, LeadId(new_id())))
        async with engine.begin() as connection:
            lifted = text("DELETE FROM outbox_held WHERE subject = :lead")
            held = (await connection.execute(lifted, values)).rowcount

        assert held == 1

    async def test_a_busy_event_takes_effect_once_nobody_holds_its_lead(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId, tally: Tally,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        await narrowing.see_through([delivery(lead, 1, "poison")], cautious=False)
        async with engine.begin() as connection:
            await connection.execute(
                text("UPDATE subject SET parked_as = NULL WHERE id = :id"), {"id": lead}
            )
        await busy(engine, lead, 1)
        mend(monkeypatch)
        async with engine.begin() as holder:
            await holder.execute(
                text("SELECT id FROM subject WHERE id = :id FOR UPDATE"), {"id": lead}
            )
            await _run(engine, tally, until=await _ask_to_discard(engine, LeadId(new_id())))
        before = await heard_of(engine, lead)
        await _run(engine, tally, until=await _ask_to_discard(engine, LeadId(new_id())))

        assert before == []
        assert await heard_of(engine, lead) == ["POISON"]

    async def test_an_event_takes_effect_also_where_who_made_its_lead_gave_up(
        self, engine: AsyncEngine, lead: LeadId, tally: Tally
    ) -> None:
        async with engine.begin() as connection:
            await parking.park(connection, [Parked(delivery(lead, 1), "busy")])
        await busy(engine, lead, 1)
        await _run(engine, tally, until=await _ask_to_discard(engine, LeadId(new_id())))

        assert await heard_of(engine, lead) == ["1"]

    @pytest.mark.parametrize("verb", ["release", "discard"])
    async def test_an_order_for_nobody_makes_nobody(
        self, engine: AsyncEngine, lead: LeadId, tally: Tally, verb: str
    ) -> None:
        order = await _ask(engine, lead, verb=verb)
        await _run(engine, tally, until=order)

        async with engine.connect() as connection:
            known = "SELECT count(*) FROM subject WHERE id = :id"
            assert await connection.scalar(text(known), {"id": lead}) == 0
        assert await _result(engine, order) == (0, None)

    async def test_what_a_worker_gave_up_before_it_died_is_counted_by_the_next_one(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId, tally: Tally,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        await narrowing.see_through(
            [delivery(lead, 1, "poison"), delivery(lead, 2)], cautious=False
        )
        order = await _ask_to_discard(engine, lead)
        with monkeypatch.context() as dying:
            dying.setattr(crash_points, "reach", _killed)
            with pytest.raises(Killed):
                await _run(engine, tally, until=order)
        await _run(engine, tally, until=order)

        assert await _result(engine, order) == (2, None)
        async with engine.connect() as connection:
            excused = text("SELECT count(*) FROM excused WHERE subject = :id")
            assert await connection.scalar(excused, {"id": lead}) == 1

    async def test_a_try_that_contention_ended_is_forgotten(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        poison = delivery(lead, 1, "poison")
        await narrowing.see_through([poison], cautious=False)
        mend(monkeypatch)
        async with engine.begin() as holder:
            await holder.execute(text("INSERT INTO tally VALUES (:id, '{}')"), {"id": lead})
            with pytest.raises(DBAPIError):
                await Release(engine, narrowing.batch).release(lead)

        assert await attempts.known(engine, [poison.envelope.event_id]) == {}

    async def test_what_was_released_before_one_failed_is_counted(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId, tally: Tally,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        some = [delivery(lead, n, company) for n, company in enumerate(COMPANIES, start=1)]
        await narrowing.see_through(some, cautious=False)
        mend(monkeypatch)
        order = await _ask(engine, lead, verb="release")
        await _run(engine, tally, until=order)
        count, error = await _result(engine, order)

        assert count == 2
        assert error is not None
        assert error.endswith("IntegrityError")  # and nothing that it quotes of the person
        assert await heard_of(engine, lead) == ["POISON", "2"]
        assert await parked(engine, lead) == [(3, "poison"), (4, "behind")]

    async def test_an_event_that_ends_the_process_ends_it_three_times_and_no_more(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId, tally: Tally,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        some = [delivery(lead, 1, "poison"), delivery(lead, 2, "kill"), delivery(lead, 3)]
        await narrowing.see_through(some, cautious=False)
        mend(monkeypatch)
        order = await _ask(engine, lead, verb="release")
        for _ in range(attempts.MOST):
            with pytest.raises(Killed):
                await _run(engine, tally, until=order)
        await _run(engine, tally, until=order)
        _, error = await _result(engine, order)

        assert error is not None
        assert error.endswith(attempts.ENDED)
        assert await parked(engine, lead) == [(2, "poison"), (3, "behind")]

    async def test_a_long_order_outlives_any_number_of_deaths_that_no_event_repeats(
        self, narrowing: Consuming, engine: AsyncEngine, lead: LeadId,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        some = [delivery(lead, 1, "poison"), *(delivery(lead, n) for n in range(2, 6))]
        await narrowing.see_through(some, cautious=False)
        mend(monkeypatch)
        order, frail = await _ask(engine, lead, verb="release"), Frail()
        for _ in some:
            with pytest.raises(Killed):
                await _run(engine, frail, until=order)
        await _run(engine, frail, until=order)

        assert await heard_of(engine, lead) == ["POISON", "2", "3", "4", "5"]
        assert (await _result(engine, order))[1] is None


async def _result(engine: AsyncEngine, order: UUID) -> tuple[int, str | None]:
    """Return how many events an order dealt with, and what failed."""
    async with engine.connect() as connection:
        row = await parking_orders.look(connection, order)
        assert row is not None
        return row._mapping["count"], row.error  # noqa: SLF001  `count` is a tuple's own method


async def _ask_to_discard(engine: AsyncEngine, lead_id: UUID) -> UUID:
    return await _ask(engine, lead_id, verb="discard")


async def _ask(engine: AsyncEngine, lead_id: UUID, *, verb: str) -> UUID:
    async with engine.begin() as connection:
        return await parking_orders.ask(
            connection, verb=verb, subject=lead_id, actor="a test", reason=None
        )


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
        row = await parking_orders.look(connection, order)
        return row is not None and row.done_at is not None
