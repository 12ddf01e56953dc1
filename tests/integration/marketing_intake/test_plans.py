# ruff: noqa: SLF001  the modules' own statements are the subject of these tests
"""The hot statements look up by key, on tables that grow and were never analysed."""

import re
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from marketing_intake.adapters import capture_statement, identities, leads, submissions
from marketing_intake.adapters.capture_statement import Captured
from shared.clock import utc_now
from shared.ids import new_id

MANY = 3_000
BATCH = 200
PAGES_A_ROW = 15
STRANGERS = [new_id() for _ in range(BATCH)]
KNOWN = [f"{number}@plans.example.com" for number in range(BATCH)]
FILL = (
    """INSERT INTO lead (id, version, email, stamp, created_at, updated_at)
       SELECT gen_random_uuid(), 1, n || '@plans.example.com', '{}', now(), now()
       FROM generate_series(1, :many) n""",
    "INSERT INTO identity_key SELECT 'email', email, id FROM lead",
    "INSERT INTO lead_phone SELECT '+49' || substr(email, 1, 4), id FROM lead",
    """INSERT INTO consent (id, lead_id, purpose, granted, occurred_at, received_at)
       SELECT gen_random_uuid(), id, 'news', true, now(), now() FROM lead""",
    """INSERT INTO erased_identity SELECT sha256(email::bytea), now() FROM lead""",
    """INSERT INTO submission (id, source_id, key, content_hash, body, sender, received_at, state)
       SELECT gen_random_uuid(), gen_random_uuid(), email, sha256(email::bytea), '', '{}', now(),
              'created' FROM lead""",
    """INSERT INTO submission_key (source_id, key, receipt_id, hash)
       SELECT source_id, key, id, '' FROM submission""",
)
STATEMENTS: dict[str, tuple[object, dict[str, Any]]] = {
    "pending": (submissions._PENDING, {"most": 500}),
    "oldest": (submissions._OLDEST, {}),
    "end": (
        submissions._END,
        {
            "ids": STRANGERS,
            "states": ["created"] * BATCH,
            "reasons": [None] * BATCH,
            "leads": STRANGERS,
            "numbers": list(range(BATCH)),
        },
    ),
    "identities": (
        identities._READ,
        {"emails": KNOWN, "phones": KNOWN, "hashes": [each.encode() for each in KNOWN], "most": 6},
    ),
    "sightings": (identities._SIGHTINGS, {"sources": STRANGERS, "hashes": [b"x"] * BATCH}),
    "leads": (leads._LEADS, {"ids": STRANGERS}),
    "consents": (leads._CONSENTS, {"ids": STRANGERS}),
    "winners": (
        text(capture_statement._WINNERS.replace("$1::", ":one ::").replace("$2::", ":two ::")),
        {"one": STRANGERS, "two": KNOWN},
    ),
    "waiting": (
        text("SELECT id, state FROM submission WHERE id = ANY(:ids) AND state <> 'received'"),
        {"ids": STRANGERS},
    ),
}


@pytest.fixture(scope="module")
async def filled(engine: AsyncEngine) -> AsyncEngine:
    async with engine.begin() as connection:
        for statement in FILL:
            values = {"many": MANY} if ":many" in statement else {}
            await connection.execute(text(statement), values)
    return engine


@pytest.mark.parametrize("name", STATEMENTS)
async def test_a_hot_statement_reads_a_few_pages_however_much_there_is(
    filled: AsyncEngine, name: str
) -> None:
    statement, values = STATEMENTS[name]
    explained = re.sub(r":(\w+) ::(\w+\[\])", r"CAST(:\1 AS \2)", str(statement))

    async with filled.connect() as connection:
        explain = text(f"EXPLAIN (ANALYZE, BUFFERS) {explained}")
        plan = "\n".join(row[0] for row in await connection.execute(explain, values))
        await connection.rollback()

    assert_by_key(plan)


async def test_capturing_looks_up_by_key_too(filled: AsyncEngine) -> None:
    rows = [Captured(new_id(), STRANGERS[0], b"{}", utc_now(), key=key, hash=b"h") for key in KNOWN]

    async with filled.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        explain = f"EXPLAIN (ANALYZE, BUFFERS) {capture_statement._CAPTURE}"
        found = await driver.fetch(explain, *capture_statement._columns(rows))

    assert_by_key("\n".join(row[0] for row in found))


def assert_by_key(plan: str) -> None:
    """Check that nothing is read but what was asked for, and nothing compared pair by pair."""
    (pages, *_) = [int(found) for found in re.findall(r"shared hit=(\d+)", plan)] or [0]
    assert "Seq Scan" not in plan
    dropped = [int(found) for found in re.findall(r"Removed by \w*\s?Filter: (\d+)", plan)]
    assert max(dropped, default=0) <= BATCH, plan
    assert pages <= BATCH * PAGES_A_ROW, plan
