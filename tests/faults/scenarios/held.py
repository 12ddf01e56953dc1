"""Scenarios: transactions of others are in the way of a lead, or of all of them."""

import asyncio
import contextlib
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
from tests.faults.rig.rig import Rig
from tests.faults.rig.waiting import until
from tests.faults.scenarios.racing import qualified, scored
from tests.stack.feeder import Feeder, feeding
from tests.stack.process import Process

from shared.clock import utc_now
from shared.ids import new_id

_OTHERS = 20
_ROUND_SECONDS = 0.5
_AT_ONCE = 24
_LOCK = "SELECT FROM subject WHERE id = $1 FOR UPDATE"
_SCORED = """
    SELECT lead_id, (detail ->> 'score')::int AS score, created_at FROM timeline_entry
    WHERE kind = 'scored'
"""
_SCORED_COUNT = "SELECT count(*) FROM timeline_entry WHERE kind = 'scored'"
_WAITS = """
    SELECT count(*) > 0 FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
_NOBODY_WAITS = "SELECT count(*) = 0 FROM parked_event"
_DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
# It cannot happen by itself: everything runs READ COMMITTED.
_REFUSE = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('refusals') % 2 = 1 THEN
            RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
        END IF;
        RETURN NULL;
    END $$
"""
_REFUSING = """
    CREATE TRIGGER refuse AFTER INSERT ON lead FOR EACH STATEMENT EXECUTE FUNCTION refuse()
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
    door, worker = await asyncio.gather(rig.start(PIPELINE, "api"), rig.start(PIPELINE, "worker"))
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
        await until(rig, PIPELINE, _NOBODY_WAITS)
        result.findings = await balance(rig, fed=feeder.said, within=60) | _ended_loops(worker)
        late = [
            (row["created_at"] - said[row["score"]]).total_seconds()
            for row in await rig.ask(PIPELINE, _SCORED)
            if row["lead_id"] != leads[0]
        ]
        result.innocent_delay = max(late)
    return result


async def _deals(rig: Rig, count: int) -> dict[UUID, UUID]:
    await until(rig, PIPELINE, "SELECT count(*) >= $1 FROM deal", count)
    rows = await rig.ask(PIPELINE, "SELECT id, lead_id FROM deal")
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


async def deadlocks(rig: Rig, *, times: int) -> tuple[Findings, int]:
    """Take two leads the wrong way round while the consumer has one and waits for the other.

    Each time two others: for one that was held at its last try, the consumer does not wait again.
    On a busy machine one is held for all of its tries: it waits as `busy`, and comes by itself.
    Returns what is broken, and how many deadlocks Postgres resolved.
    """
    worker = await rig.start(PIPELINE, "worker")
    pairs = [sorted(new_id() for _ in range(2)) for _ in range(times)]
    async with feeding(rig.kafka) as feeder:
        await feeder.say(*(qualified(lead) for pair in pairs for lead in pair))
        await _deals(rig, 2 * times)
        for first, second in pairs:
            async with locked(rig, PIPELINE, second) as other:
                await feeder.say(scored(first, 1), scored(second, 1))
                await until(rig, PIPELINE, _WAITS)
                with contextlib.suppress(asyncpg.DeadlockDetectedError):
                    await other.execute(_LOCK, first)
        found = await balance(rig, fed=feeder.said, within=60)
        await until(rig, PIPELINE, _NOBODY_WAITS)
    entries = await rig.one(PIPELINE, _SCORED_COUNT)
    found |= {"entries unlike scores": n} if (n := abs(entries - 2 * times)) else {}
    found |= _ended_loops(worker)
    return found, await rig.one(PIPELINE, _DEADLOCKS)


async def serialization_failures(rig: Rig, *, leads: int) -> tuple[Findings, int]:
    """Let Postgres refuse every second write of a lead as it does what it cannot serialize."""
    worker = await rig.start(PIPELINE, "worker")
    await rig.ask(PIPELINE, "CREATE SEQUENCE refusals")
    await rig.ask(PIPELINE, _REFUSE)
    await rig.ask(PIPELINE, _REFUSING)
    async with feeding(rig.kafka) as feeder:
        for _ in range(leads):
            await feeder.say(qualified(new_id()))
            await asyncio.sleep(0.05)
        found = await balance(rig, fed=feeder.said)
    deals = await rig.one(PIPELINE, "SELECT count(*) FROM deal")
    found |= _ended_loops(worker)
    found |= {"deals unlike leads": n} if (n := abs(deals - leads)) else {}
    return found, worker.log.read_text().count('"batch_failed"')


def _ended_loops(worker: Process) -> Findings:
    """Count loops that ended by what they should have tried again."""
    count = worker.log.read_text().count('"loop_failed"')
    return {"a loop ended": count} if count else {}
