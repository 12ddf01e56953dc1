"""Random merges while several members hear the leads' streams at once, against a simple model.

The model: whoever merges is one set of names. At the end all that was said by any name of a set is
heard of the one that is left, each once, and by each name in its order.
"""

import asyncio
import contextlib
import random
from collections import defaultdict
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.messaging.conftest import TallyDesk, delivery, heard_of, merged
from tests.stack.interleaving import batches

from shared.ids import new_id
from shared.messaging.batch import Batch
from shared.messaging.breaker import Breaker
from shared.messaging.narrowing import Narrowing
from shared.messaging.records import Delivery
from shared.messaging.release import NothingParked, Release

SEEDS = range(6)
LEADS, ACTS, MEMBERS = 8, 60, 3
Streams = dict[UUID, list[Delivery]]


def a_history(chance: random.Random) -> tuple[Streams, dict[UUID, UUID], dict[UUID, list[str]]]:
    """Return what marketing says, who became whom, and what was said by each name."""
    names = [new_id() for _ in range(LEADS)]
    streams: Streams = {name: [] for name in names}
    became: dict[UUID, UUID] = {}
    said: dict[UUID, list[str]] = defaultdict(list)
    for act in range(ACTS):
        alone = [name for name in names if name not in became]
        if act % 10 == 9 and len(alone) > 2:
            gone, stays = chance.sample(alone, 2)
            for stream in (gone, stays):
                event = merged(stream, gone, into=stays)
                streams[stream].append(delivery(stream, len(streams[stream]) + 1, event=event))
            became[gone] = stays
        else:
            name = chance.choice(alone)
            word = f"{names.index(name)}:{act}"
            streams[name].append(delivery(name, len(streams[name]) + 1, word))
            said[name].append(word)
    return streams, became, said


@pytest.mark.parametrize("seed", SEEDS)
async def test_nothing_is_lost_doubled_or_out_of_order(
    seed: int, narrowing: Narrowing[TallyDesk], engine: AsyncEngine
) -> None:
    print(f"seed {seed}")  # noqa: T201
    streams, became, said = a_history(random.Random(seed))
    await _hear(narrowing, streams, seed)

    for survivor in streams.keys() - became.keys():
        names = [name for name in streams if _last(name, became) == survivor]
        heard = await heard_of(engine, survivor)
        assert sorted(heard) == sorted(word for name in names for word in said[name])
        for name in names:
            own = set(said[name])
            assert [word for word in heard if word in own] == said[name]
    await _aliases_are_as_said(engine, streams, became)


async def _hear(narrowing: Narrowing[TallyDesk], streams: Streams, seed: int) -> None:
    """Let each member hear its part of the streams, all at the same time."""
    shares = [list(streams.values())[member::MEMBERS] for member in range(MEMBERS)]

    async def member(number: int) -> None:
        batch = Batch(narrowing.engine, narrowing.batch.hearer, narrowing.batch.started_at)
        own = Narrowing(narrowing.engine, batch, Breaker("tally", "1"))
        for some in batches(shares[number], seed * 100 + number):
            await own.see_through(some, cautious=False)

    await asyncio.gather(*(member(number) for number in range(MEMBERS)))
    await _release_busy(narrowing)


async def _release_busy(narrowing: Narrowing[TallyDesk]) -> None:
    """Release what a member set aside while another held its lead, as the worker does."""
    release = Release(narrowing.engine, narrowing.batch)
    async with narrowing.engine.connect() as connection:
        busy = "SELECT DISTINCT subject FROM parked_event WHERE reason = 'busy'"
        names = (await connection.scalars(text(busy))).all()
    for name in names:
        with contextlib.suppress(NothingParked):  # released with a lead that it became
            await release.release(name)


async def _aliases_are_as_said(
    engine: AsyncEngine, streams: Streams, became: dict[UUID, UUID]
) -> None:
    async with engine.connect() as connection:
        values = {"ids": list(streams)}
        rows = await connection.execute(
            text("SELECT id, alias_of, parked_as FROM subject WHERE id = ANY(:ids)"), values
        )
        found = rows.all()
        waiting = "SELECT count(*) FROM parked_event WHERE subject = ANY(:ids)"
        assert await connection.scalar(text(waiting), values) == 0
    assert {row.parked_as for row in found} == {None}
    assert {row.id: row.alias_of for row in found if row.alias_of} == {
        name: _last(name, became) for name in became
    }


def _last(name: UUID, became: dict[UUID, UUID]) -> UUID:
    while name in became:
        name = became[name]
    return name
