"""A timer does what is due, and one lead that fails costs no other its time."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.integration.messaging.loops import running
from tests.stack.waiting import until

from shared.contracts.event import Event
from shared.ids import new_id
from shared.messaging import subjects
from shared.messaging.timers import TimerLoop
from shared.telemetry.heartbeat import Heartbeats


class Bell:
    """Rings for each lead once; for one of them it never can."""

    name = "bell"

    def __init__(self, due: list[UUID], broken: UUID) -> None:
        self.waiting = due
        self.rung: list[UUID] = []
        self._broken = broken

    async def due(  # the protocol's own arguments
        self, _connection: AsyncConnection, _now: datetime, limit: int
    ) -> Sequence[UUID]:
        return self.waiting[:limit]

    async def fire(
        self, _connection: AsyncConnection, subjects: Sequence[UUID], _now: datetime
    ) -> Sequence[Event]:
        if self._broken in subjects:
            raise ValueError("this lead cannot be rung for")
        self.rung += subjects
        self.waiting = [each for each in self.waiting if each not in subjects]
        return []


async def test_one_lead_that_fails_holds_up_no_other(engine: AsyncEngine) -> None:
    leads = [new_id() for _ in range(5)]
    async with engine.begin() as connection:
        await subjects.lock(connection, leads)
    bell = Bell(list(leads), broken=leads[0])

    async with running(TimerLoop(engine, bell, Heartbeats().loop("bell"))):

        async def others_rung() -> bool:
            return len(bell.rung) >= 4

        await until(others_rung, seconds=10)

    assert sorted(bell.rung) == sorted(leads[1:])


async def test_a_lead_that_somebody_holds_is_rung_for_when_it_is_free(
    engine: AsyncEngine,
) -> None:
    lead = new_id()
    bell = Bell([lead], broken=new_id())
    async with engine.begin() as connection:
        await subjects.lock(connection, [lead])
    loop = TimerLoop(engine, bell, Heartbeats().loop("bell"))
    async with engine.connect() as holder:
        await subjects.lock(holder, [lead])
        async with running(loop):
            await asyncio.sleep(1.2)  # two turns of the timer, in which nothing may happen
            before = list(bell.rung)
            await holder.rollback()

            async def rung() -> bool:
                return bell.rung == [lead]

            await until(rung, seconds=10)

    assert before == []
