# ruff: noqa: SLF001  the modules' own statements are the subject of these tests
"""The hot statements look up by key, on tables that grow and were never analysed."""

import re
from typing import Any

import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from marketing_intake.adapters import capture_statement, identities, leads, submissions
from shared.clock import utc_now
from shared.ids import new_id

MANY = 3_000
FEW_PAGES = 120
STRANGERS = [new_id(), new_id()]
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
STATEMENTS: dict[str, tuple[TextClause, dict[str, Any]]] = {
    "pending": (submissions._PENDING, {"most": 500}),
    "oldest": (submissions._OLDEST, {}),
    "end": (
        submissions._END,
        {
            "ids": STRANGERS,
            "states": ["created", "updated"],
            "reasons": [None, None],
            "leads": STRANGERS,
            "numbers": [1, 2],
        },
    ),
    "identities": (
        identities._READ,
        {"emails": ["1@plans.example.com"], "phones": ["+491"], "hashes": [b"x"], "most": 6},
    ),
    "sightings": (identities._SIGHTINGS, {"sources": STRANGERS[:1], "hashes": [b"x"]}),
    "leads": (leads._LEADS, {"ids": STRANGERS}),
    "consents": (leads._CONSENTS, {"ids": STRANGERS}),
    "winners": (
        text(capture_statement._WINNERS.replace("$1::", ":one ::").replace("$2::", ":two ::")),
        {"one": STRANGERS[:1], "two": ["1@plans.example.com"]},
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
    explained = re.sub(r":(\w+) ::(\w+\[\])", r"CAST(:\1 AS \2)", statement.text)

    async with filled.connect() as connection:
        explain = text(f"EXPLAIN (ANALYZE, BUFFERS) {explained}")
        plan = "\n".join(row[0] for row in await connection.execute(explain, values))
        await connection.rollback()

    assert "Seq Scan" not in plan
    (pages, *_) = [int(found) for found in re.findall(r"shared hit=(\d+)", plan)] or [0]
    assert pages <= FEW_PAGES, plan


async def test_capturing_touches_a_few_pages_however_much_there_is(filled: AsyncEngine) -> None:
    one = [new_id(), new_id(), "key", b"", b"{}", "{}", None, utc_now(), "received", None]

    async with filled.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        rows = await driver.fetch(
            f"EXPLAIN (ANALYZE, BUFFERS) {capture_statement._CAPTURE}", *([each] for each in one)
        )

    plan = "\n".join(row[0] for row in rows)
    (pages, *_) = [int(found) for found in re.findall(r"shared hit=(\d+)", plan)]
    assert pages <= FEW_PAGES, plan
