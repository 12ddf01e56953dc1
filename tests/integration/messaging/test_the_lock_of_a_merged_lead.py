"""The lock of a merged lead: its names lead to one row, which whoever asks by any of them holds."""

import asyncio
from uuid import UUID

import pytest
from asyncpg.exceptions import LockNotAvailableError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database.errors import Kind, kind_of
from shared.ids import LeadId, new_id
from shared.messaging import subjects


@pytest.fixture
def goes() -> LeadId:
    return LeadId(new_id())


@pytest.fixture
def stays() -> LeadId:
    return LeadId(new_id())


class TestTheLock:
    async def merged(self, engine: AsyncEngine, goes: LeadId, stays: LeadId) -> None:
        async with engine.begin() as connection:
            await subjects.lock(connection, [goes, stays], whole=True)
            await subjects.merge(connection, goes, into=stays)

    async def test_an_alias_leads_to_the_survivor_and_holds_it(
        self, engine: AsyncEngine, goes: LeadId, stays: LeadId
    ) -> None:
        await self.merged(engine, goes, stays)
        async with engine.begin() as one, engine.begin() as other:
            found = await subjects.lock(one, [goes])
            free = await subjects.try_lock(other, [stays])

        assert {name: lead.id for name, lead in found.items()} == {goes: stays}
        assert free == {}

    async def test_whole_is_every_name_whichever_was_given(
        self, engine: AsyncEngine, goes: LeadId, stays: LeadId
    ) -> None:
        other = LeadId(new_id())
        await self.merged(engine, goes, stays)
        await self.merged(engine, other, stays)
        async with engine.begin() as connection:
            found = await subjects.lock(connection, [other], whole=True)

        assert {name: lead.id for name, lead in found.items()} == dict.fromkeys(
            sorted([goes, stays, other]), stays
        )

    async def test_a_timer_finds_nothing_due_of_an_alias(
        self, engine: AsyncEngine, goes: LeadId, stays: LeadId
    ) -> None:
        await self.merged(engine, goes, stays)
        async with engine.begin() as connection:
            assert set(await subjects.try_lock(connection, [goes, stays])) == {stays}

    @pytest.mark.usefixtures("both")
    async def test_who_becomes_an_alias_while_it_is_waited_for_is_held_with_its_survivor(
        self, engine: AsyncEngine, goes: LeadId, stays: LeadId
    ) -> None:
        async with engine.begin() as merging:
            await subjects.lock(merging, [goes, stays], whole=True)
            asking = asyncio.create_task(_ask(engine, goes))
            await _until_so_many_wait(engine, 1)
            await subjects.merge(merging, goes, into=stays)

        assert await asking == stays

    @pytest.mark.usefixtures("both")
    async def test_where_somebody_else_has_the_survivor_by_then_whoever_asked_starts_over(
        self, engine: AsyncEngine, goes: LeadId, stays: LeadId
    ) -> None:
        async with engine.begin() as before, engine.begin() as other:
            async with engine.begin() as merging:
                await subjects.lock(merging, [goes, stays], whole=True)
                # It stands in line before whoever asks, who so wakes after the other has its lock.
                queued = asyncio.create_task(before.execute(_ROW, {"name": goes}))
                await _until_so_many_wait(engine, 1)
                asking = asyncio.create_task(_ask(engine, goes))
                await _until_so_many_wait(engine, 2)
                await subjects.merge(merging, goes, into=stays)
            await queued
            await subjects.lock(other, [stays])
            await before.rollback()
            with pytest.raises(LockNotAvailableError) as told:
                await asking

        assert kind_of(told.value) is Kind.CONTENTION


_ROW = text("SELECT id FROM subject WHERE id = :name FOR UPDATE")


@pytest.fixture
async def both(engine: AsyncEngine, goes: LeadId, stays: LeadId) -> None:
    """Make the rows of both leads known."""
    async with engine.begin() as connection:
        await subjects.lock(connection, [goes, stays])


async def _ask(engine: AsyncEngine, name: LeadId) -> UUID:
    async with engine.begin() as connection:
        return (await subjects.lock(connection, [name]))[name].id


async def _until_so_many_wait(engine: AsyncEngine, count: int) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
    async with asyncio.timeout(10), autocommit.connect() as connection:
        while await connection.scalar(waiting) < count:
            await asyncio.sleep(0.02)
