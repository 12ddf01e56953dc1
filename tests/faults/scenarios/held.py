"""Scenarios: transactions of others are in the way of a lead, or of all of them."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg
import httpx
from tests.faults.invariants import PIPELINE, Findings, balance
from tests.faults.rig.feeder import Feeder, feeding
from tests.faults.rig.rig import Rig
from tests.faults.scenarios.racing import qualified, scored

from shared.clock import utc_now
from shared.ids import new_id

_OTHERS = 20
_ROUND_SECONDS = 0.5
_AT_ONCE = 24
_RELEASED_WITHIN = 40.0
_LOCK = "SELECT FROM subject WHERE id = $1 FOR UPDATE"
_SCORED = """
    SELECT lead_id, (detail ->> 'score')::int AS score, created_at FROM timeline_entry
    WHERE kind = 'scored'
"""


@dataclass
class Held:
    """What became of one lead that was held, and of the others."""

    innocent_delay: float = 0.0
    slowest_answer: float = 0.0
    answers: Counter[int] = field(default_factory=Counter)
    others: Counter[int] = field(default_factory=Counter)
    busy: int = 0
    findings: Findings = field(default_factory=dict)


@asynccontextmanager
async def locked(rig: Rig, service: str, *subjects: UUID) -> AsyncGenerator[asyncpg.Connection]:
    """Hold the locks of subjects by a session of somebody else's during the block."""
    connection = await asyncpg.connect(rig.urls[service], ssl=False)
    try:
        async with connection.transaction():
            for subject in subjects:
                await connection.execute(_LOCK, subject)
            yield connection
    finally:
        await connection.close()


async def one_lead(rig: Rig, *, seconds: float) -> Held:
    """Hold one lead for so long, while all leads get scores and reps write on their deals."""
    door, _ = await asyncio.gather(rig.start(PIPELINE, "api"), rig.start(PIPELINE, "worker"))
    result, leads = Held(), [new_id() for _ in range(_OTHERS + 1)]
    async with feeding(rig.kafka) as feeder, await rig.client(door) as client:
        await feeder.say(*(qualified(lead) for lead in leads))
        deals = await _deals(rig, len(leads))
        said: dict[int, datetime] = {}
        async with locked(rig, PIPELINE, leads[0]):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_score_all(feeder, leads, said, seconds=seconds))
                tasks.create_task(_write(client, deals, leads, result, seconds=seconds))
            result.busy = await rig.one(
                PIPELINE, "SELECT count(*) FROM parked_event WHERE subject = $1", leads[0]
            )
        await _all_released(rig)
        result.findings = await balance(rig, fed=feeder.said, within=60)
        late = [
            (row["created_at"] - said[row["score"]]).total_seconds()
            for row in await rig.ask(PIPELINE, _SCORED)
            if row["lead_id"] != leads[0]
        ]
        result.innocent_delay = max(late)
    return result


async def _all_released(rig: Rig) -> None:
    """Wait until what was busy has released itself."""
    async with asyncio.timeout(_RELEASED_WITHIN):
        while await rig.one(PIPELINE, "SELECT count(*) FROM parked_event"):
            await asyncio.sleep(0.1)


async def _deals(rig: Rig, count: int) -> dict[UUID, UUID]:
    async with asyncio.timeout(30):
        while len(rows := await rig.ask(PIPELINE, "SELECT id, lead_id FROM deal")) < count:
            await asyncio.sleep(0.1)
    return {row["lead_id"]: row["id"] for row in rows}


async def _score_all(
    feeder: Feeder, leads: Sequence[UUID], said: dict[int, datetime], *, seconds: float
) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        score = len(said)
        said[score] = utc_now()
        await feeder.say(*(scored(lead, score) for lead in leads))
        await asyncio.sleep(_ROUND_SECONDS)


async def _write(
    client: httpx.AsyncClient,
    deals: dict[UUID, UUID],
    leads: Sequence[UUID],
    result: Held,
    *,
    seconds: float,
) -> None:
    """Write notes on the held deal, more at once than the pool holds; then on the others."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        held = await asyncio.gather(*(_note(client, deals[leads[0]]) for _ in range(_AT_ONCE)))
        result.slowest_answer = max(result.slowest_answer, time.monotonic() - began)
        result.answers.update(held)
        result.others.update([await _note(client, deals[lead]) for lead in leads[1:4]])


async def _note(client: httpx.AsyncClient, deal: UUID) -> int:
    """Write a note; return the status, 0 for a 503 that does not say when to ask again."""
    body = {"kind": "note", "text": "a call"}
    answer = await client.post(f"/v1/deals/{deal}/activities", json=body)
    fit = answer.status_code != 503 or "retry-after" in answer.headers
    return answer.status_code if fit else 0
