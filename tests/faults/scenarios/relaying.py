"""Scenarios of the relay: rows that commit late, and two workers that could both send.

The intake's worker relays; the rows of its outbox are written by the scenario, as a use case would.
"""

from typing import Any
from uuid import UUID

import asyncpg
from tests.faults.invariants import Findings, balance
from tests.faults.ledger import make_source, some_leads, storm
from tests.faults.rig.rig import Rig
from tests.faults.rig.waiting import until
from tests.stack.feeder import captured
from tests.stack.topics import read_back

from shared.ids import new_id

LEADS = "handoff.leads.v1"
_SAY = """
    WITH known AS (INSERT INTO subject (id) VALUES ($1::uuid) ON CONFLICT DO NOTHING),
    kept AS (
        INSERT INTO lead (id, version, stamp, created_at, updated_at)
        VALUES ($1::uuid, 1, '{}', now(), now()) ON CONFLICT DO NOTHING
    ),
    numbered AS (
        INSERT INTO said_stream (topic, subject, last_sequence) VALUES ($2, $1, 1)
        ON CONFLICT (topic, subject) DO UPDATE SET last_sequence = said_stream.last_sequence + 1
        RETURNING last_sequence
    )
    INSERT INTO outbox (event_id, topic, subject, sequence, type, payload, headers)
    SELECT $3::uuid, $2, $1, last_sequence,
           CASE last_sequence WHEN 1 THEN 'lead.captured.v1' ELSE 'lead.updated.v1' END, $4,
           jsonb_build_object('correlation_id', CAST($3 AS uuid))
    FROM numbered
"""
_SENT = "SELECT count(*) >= $1 FROM outbox_archive"
_PASSED_BY = """
    SELECT count(*) FROM outbox WHERE id < (SELECT min(id) FROM (
        SELECT id FROM outbox_archive ORDER BY id DESC LIMIT 2
    ) later)
"""


async def a_row_that_commits_late(rig: Rig, *, within: float = 20.0) -> Findings:
    """A transaction draws its outbox id first and commits last: the relay must not pass it by."""
    database = await rig.database("marketing_intake")
    late = await asyncpg.connect(rig.urls["marketing_intake"], ssl=False)
    try:
        await rig.start("marketing_intake")
        transaction = late.transaction()
        await transaction.start()
        await say(late, new_id())
        for _ in range(20):
            await say(database, new_id())
        await until(rig, "marketing_intake", _SENT, 20)
        await transaction.commit()
    finally:
        await late.close()
    for count in (21, 22):  # each is read after the late one was there to be read with it
        await say(database, new_id())
        await until(rig, "marketing_intake", _SENT, count)
    if passed_by := await rig.one("marketing_intake", _PASSED_BY):
        return {"passed by: a later one was sent": passed_by}
    return await balance(rig, within=within)


async def two_workers(rig: Rig, *, within: float = 20.0, leads: int = 60) -> Findings:
    """Two workers share a database: each submission resolves once, each event is sent once."""
    door = await rig.start("marketing_intake", "api")
    for number in (0, 1):
        await rig.start("marketing_intake", number=number)
    async with await rig.client(door) as client:
        source = await make_source(client)
        ledger = await storm(client, some_leads(source, leads, seed=1), at_once=4, a_second=40)
    found = await balance(rig, ledger=ledger, within=within)
    log = await read_back(rig.kafka, [LEADS])
    twice = sum(len(stream.envelopes) - len(stream.firsts) for stream in log.values())
    return found | ({"sent twice though nothing failed": twice} if twice else {})


async def say(connection: asyncpg.Connection, lead: UUID, **card: Any) -> None:
    """Say that a lead was captured, in the caller's transaction."""
    await connection.execute(_SAY, lead, LEADS, new_id(), captured(lead, **card).to_wire())
