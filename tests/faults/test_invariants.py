"""Each invariant can fail: what it forbids is done to a balanced rig, and the check counts it."""

import asyncio
from dataclasses import replace

import pytest
from tests.faults.conftest import MakeRig
from tests.faults.invariants import (
    CHECKS,
    INTAKE,
    NOTIFIER,
    PIPELINE,
    SCORING,
    Evidence,
    balance,
    evidence_of,
)
from tests.faults.ledger import Ledger, make_source, some_leads, storm
from tests.faults.rig.rig import SERVICES, Rig
from tests.stack.feeder import captured, feeding

from shared.ids import new_id

PHANTOMS = "stored and never sent, or refused"
ONE_MORE = """
    INSERT INTO {table} SELECT (jsonb_populate_record(t, {changes})).* FROM {table} t
    WHERE {where} LIMIT 1
"""
SAID_AGAIN = "jsonb_build_object('event_id', gen_random_uuid(), 'id', 1000000, 'sequence', 1000)"
SPOILT: dict[str, tuple[str, str]] = {
    "answered 2xx and not stored": (
        INTAKE,
        "UPDATE submission_key SET receipt_id = gen_random_uuid() WHERE key LIKE 'key:%-1'",
    ),
    "one key, two submissions": (
        INTAKE,
        """
        INSERT INTO submission (id, source_id, key, body, sender, received_at, state)
        SELECT gen_random_uuid(), source_id, key, body, sender, received_at, 'rejected'
        FROM submission LIMIT 1
        """,
    ),
    PHANTOMS: (
        INTAKE,
        """
        INSERT INTO submission_key (source_id, key, receipt_id, hash)
        VALUES (gen_random_uuid(), 'key:from nowhere', gen_random_uuid(), '')
        """,
    ),
    "stored and without an outcome": (
        INTAKE,
        "UPDATE submission SET state = 'received'",
    ),
    "one person, two leads": (INTAKE, "UPDATE lead SET email = 'one@example.com'"),
    "a submission without exactly one touchpoint": (INTAKE, "DELETE FROM touchpoint"),
    "a lead without exactly one LeadCaptured": (
        INTAKE,
        "DELETE FROM outbox_archive WHERE type = 'lead.captured.v1'",
    ),
    "said under other numbers than 1, 2, 3": (
        SCORING,
        "UPDATE said_stream SET last_sequence = last_sequence + 1",
    ),
    "archived and not in the topic, or the reverse": (
        PIPELINE,
        "UPDATE outbox_archive SET event_id = gen_random_uuid()",
    ),
    "said and not heard, or the reverse": (
        NOTIFIER,
        "UPDATE stream SET last_sequence = last_sequence - 1",
    ),
    "said twice of one cause": (
        SCORING,
        ONE_MORE.format(
            table="outbox_archive", changes=SAID_AGAIN, where="headers ? 'causation_id'"
        ),
    ),
    "broken by what a service says of itself": (SCORING, "DELETE FROM stream"),
    "touchpoints scored unlike those said": (
        SCORING,
        "UPDATE lead_score SET touchpoints = touchpoints + 1",
    ),
    "a lead without a score, or the reverse": (SCORING, "DELETE FROM lead_score"),
    "a qualified lead without exactly one deal": (
        SCORING,
        "DELETE FROM outbox_archive WHERE type = 'lead.qualified.v1'",
    ),
    "a deal without exactly one first contact": (
        NOTIFIER,
        "UPDATE task SET deal_id = gen_random_uuid()",
    ),
    "a task that rang twice": (
        NOTIFIER,
        ONE_MORE.format(table="outbox_archive", changes=SAID_AGAIN, where="payload <> ''"),
    ),
}
"""What makes a check fail, in a transaction that is taken back."""
BY_HAND = {"out of order in the topic", "found by the audit"}
"""What others must see too, or that no database holds."""


@pytest.mark.timeout(240)
async def test_every_invariant_can_fail(make_rig: MakeRig) -> None:
    rig = await make_rig(*SERVICES)
    ledger = await some_work(rig)
    assert await balance(rig, ledger=ledger) == {}
    evidence = await evidence_of(rig, ledger)

    found = {name: await found_when_spoilt(evidence, name) for name in SPOILT}
    found["stored, and refused at its only attempt"] = await phantoms_when_refused(evidence)
    doubtful = await phantoms_when_refused(evidence, doubtful=True)
    async with feeding(rig.kafka) as feeder:
        await feeder.send([feeder.next(captured(new_id()), sequence=2)])
    after = await balance(rig, ledger=ledger)

    assert [name for name, count in found.items() if not count] == []
    assert doubtful == 0
    assert after.keys() >= BY_HAND
    assert SPOILT.keys() | BY_HAND == CHECKS.keys()


async def some_work(rig: Rig) -> Ledger:
    """Let leads come in that sales wants, with everybody there."""
    door, pipeline, *_ = await asyncio.gather(
        rig.start(INTAKE, "api"), rig.start(PIPELINE, "api"), *map(rig.start, SERVICES)
    )
    async with await rig.client(pipeline) as client:
        await client.post("/v1/reps", json={"name": "Ann", "email": "ann@example.com"})
    async with await rig.client(door) as client:
        return await storm(client, some_leads(await make_source(client), 30, seed=1))


async def phantoms_when_refused(evidence: Evidence, *, doubtful: bool = False) -> int:
    """Return what is counted if one who is stored was refused in the end, or at each attempt."""
    receipts = dict(evidence.ledger.receipts)
    key, _ = receipts.popitem()
    told = replace(
        evidence.ledger,
        receipts=receipts,
        refused={key: 422},
        doubtful={key} if doubtful else set(),
    )
    return await CHECKS[PHANTOMS][1](replace(evidence, ledger=told))


async def found_when_spoilt(evidence: Evidence, name: str) -> int:
    """Return what a check counts while its invariant is broken."""
    service, spoil = SPOILT[name]
    transaction = (await evidence.rig.database(service)).transaction()
    await transaction.start()
    try:
        await evidence.rig.ask(service, spoil)
        return await CHECKS[name][1](evidence)
    finally:
        await transaction.rollback()
