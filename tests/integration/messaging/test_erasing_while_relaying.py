"""What the relay moves to the archive while its lead is erased lies there blank."""

import asyncio
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.integration.messaging.loops import say
from tests.stack.waiting import until

from shared.ids import LeadId, new_id
from shared.messaging import archive, erasure, subjects


class Lies(NamedTuple):
    """Where Kafka says that a record lies."""

    partition: int
    offset: int


async def a_waiting_lead(engine: AsyncEngine) -> LeadId:
    lead = LeadId(new_id())
    await say(engine, lead, "a company")
    return lead


async def move(connection: AsyncConnection, lead: UUID) -> None:
    """Archive what waits of a lead, as the relay does once Kafka has it."""
    waiting = text("SELECT id FROM outbox WHERE subject = :lead")
    ids = await connection.scalars(waiting, {"lead": lead})
    await archive.put(connection, {row_id: Lies(partition=0, offset=0) for row_id in ids})


async def erase(connection: AsyncConnection, lead: UUID) -> None:
    await subjects.lock(connection, [lead])
    await erasure.blank(connection, [lead])


async def backend(connection: AsyncConnection) -> int:
    return await connection.scalar(text("SELECT pg_backend_pid()")) or 0


async def until_it_waits(engine: AsyncEngine, pid: int) -> None:
    async def waits() -> bool:
        async with engine.connect() as connection:
            blocked = text("SELECT cardinality(pg_blocking_pids(:pid)) > 0")
            return bool(await connection.scalar(blocked, {"pid": pid}))

    await until(waits)


async def archived(engine: AsyncEngine, lead: UUID) -> list[bytes]:
    async with engine.connect() as connection:
        kept = text("SELECT payload FROM outbox_archive WHERE subject = :lead")
        return list(await connection.scalars(kept, {"lead": lead}))


async def test_an_erasure_waits_for_what_is_just_being_archived(engine: AsyncEngine) -> None:
    lead = await a_waiting_lead(engine)
    async with engine.connect() as relay, engine.connect() as eraser:
        await move(relay, lead)
        pid = await backend(eraser)
        erasing = asyncio.create_task(erase(eraser, lead))
        await until_it_waits(engine, pid)
        await relay.commit()
        await erasing
        await eraser.commit()

    assert await archived(engine, lead) == [b""]


async def test_what_an_erasure_has_in_hand_is_archived_blank(engine: AsyncEngine) -> None:
    lead = await a_waiting_lead(engine)
    async with engine.connect() as relay, engine.connect() as eraser:
        await erase(eraser, lead)
        pid = await backend(relay)
        moving = asyncio.create_task(move(relay, lead))
        await until_it_waits(engine, pid)
        await eraser.commit()
        await moving
        await relay.commit()

    assert await archived(engine, lead) == [b""]
