"""Each row of the archive says where its own record lies, in whatever order the acks came."""

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.loops import say

from shared.ids import LeadId, new_id
from shared.messaging import archive

_WAITING = text("SELECT id FROM outbox WHERE subject = :lead ORDER BY id")
_LIES = text('SELECT id, partition, "offset" FROM outbox_archive WHERE subject = :lead')


class Lies(NamedTuple):
    """Where Kafka says that a record lies."""

    partition: int
    offset: int


async def test_a_row_has_the_place_of_its_own_record(engine: AsyncEngine) -> None:
    lead = LeadId(new_id())
    await say(engine, lead, *"abcdefg")
    async with engine.begin() as connection:
        ids = list(await connection.scalars(_WAITING, {"lead": lead}))
        first = {each: Lies(partition=each % 5, offset=100 + each) for each in reversed(ids)}
        await archive.put(connection, first)
        put = (await connection.execute(_LIES, {"lead": lead})).all()
        again = {each: Lies(partition=each % 3, offset=200 + each) for each in (ids[5], ids[1])}
        await archive.move(connection, again)
        moved = (await connection.execute(_LIES, {"lead": lead})).all()

    assert {row.id: (row.partition, row.offset) for row in put} == first
    assert {row.id: (row.partition, row.offset) for row in moved} == first | again
