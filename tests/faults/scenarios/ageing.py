"""Scenario: somebody's snapshot stays open while the outbox turns over, so nothing is tidied up."""

import json
from dataclasses import dataclass
from typing import Any

import asyncpg
from tests.faults.invariants import INTAKE
from tests.faults.rig.rig import Rig
from tests.faults.rig.waiting import until

from shared import limits
from shared.contracts.lead import LeadCaptured
from shared.database.engine import server_settings
from shared.ids import new_id
from shared.messaging.relay import READ

_SAY = """
    WITH subjects AS (INSERT INTO subject (id) SELECT unnest($1::uuid[])),
    said AS (
        INSERT INTO said_stream SELECT $2, id, 1 FROM unnest($1::uuid[]) AS r (id)
    )
    INSERT INTO outbox (event_id, topic, subject, sequence, type, payload, headers)
    SELECT id, $2, id, 1, $3, '{}', jsonb_build_object('correlation_id', id)
    FROM unnest($1::uuid[]) AS r (id)
"""
_DRAINED_WITHIN = 120.0
_POLLS = 6


@dataclass(frozen=True)
class Poll:
    """One read of the empty outbox: pages that it touched, and the milliseconds that it took."""

    buffers: int
    milliseconds: float


async def an_old_snapshot(rig: Rig, *, events: int) -> tuple[Poll, Poll]:
    """Return what an empty poll costs before and after so many events under an open snapshot."""
    worker = rig.process(INTAKE)
    worker.command = [*worker.command, "--only", "relay"]
    worker.start()
    await worker.ready()
    before = await _poll(rig)
    old = await asyncpg.connect(rig.urls[INTAKE], ssl=False)
    try:
        async with old.transaction(isolation="repeatable_read"):
            await old.fetchval("SELECT count(*) FROM outbox")
            await _turn_over(rig, events)
            return before, await _poll(rig)
    finally:
        await old.close()


async def _turn_over(rig: Rig, events: int) -> None:
    """Say events and wait until the relay has sent and archived them."""
    ids = [new_id() for _ in range(events)]
    await rig.ask(INTAKE, _SAY, ids, "handoff.leads.v1", LeadCaptured.wire_type())
    await until(rig, INTAKE, "SELECT count(*) = 0 FROM outbox", within=_DRAINED_WITHIN)


async def _poll(rig: Rig) -> Poll:
    """Read the outbox as the relay does, some times: the first brings its pages into memory.

    Of the others the quickest counts: what else the machine did then is no cost of a poll.
    """
    settings = server_settings(limits.WORKER, hot=True)
    connection = await asyncpg.connect(rig.urls[INTAKE], ssl=False, server_settings=settings)
    explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {str(READ).replace(':most', '1000')}"
    try:
        plans = [json.loads(await connection.fetchval(explain))[0] for _ in range(_POLLS)]
    finally:
        await connection.close()
    plan: dict[str, Any] = min(plans[1:], key=lambda each: each["Execution Time"])
    pages = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    return Poll(pages, plan["Execution Time"])
