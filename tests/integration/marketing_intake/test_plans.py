"""The hot statements go by an index on a database that was never analysed, and on a grown one."""

from typing import Any

import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from marketing_intake.adapters import identities, leads, submissions
from shared.ids import new_id

IDS = {"ids": [new_id(), new_id()]}
STATEMENTS: dict[str, tuple[TextClause, dict[str, Any]]] = {
    "pending": (submissions._PENDING, {"most": 500}),  # noqa: SLF001  the statement is the subject
    "oldest": (submissions._OLDEST, {}),  # noqa: SLF001  as above
    "end": (
        submissions._END,  # noqa: SLF001  as above
        IDS
        | {
            "states": ["created", "updated"],
            "reasons": [None, None],
            "leads": [new_id(), new_id()],
            "numbers": [1, 2],
        },
    ),
    "identities": (
        identities._READ,  # noqa: SLF001  as above
        {"emails": ["a@b.co"], "phones": ["+4930"], "hashes": [b"x"], "most": 6},
    ),
    "sightings": (
        identities._SIGHTINGS,  # noqa: SLF001  as above
        {"sources": [new_id()], "hashes": [b"x"]},
    ),
    "leads": (leads._LEADS, IDS),  # noqa: SLF001  as above
    "consents": (leads._CONSENTS, IDS),  # noqa: SLF001  as above
}


@pytest.mark.parametrize("name", STATEMENTS)
async def test_no_hot_statement_reads_a_whole_table(engine: AsyncEngine, name: str) -> None:
    statement, values = STATEMENTS[name]

    async with engine.begin() as connection:
        rows = await connection.execute(text(f"EXPLAIN {statement.text}"), values)
        plan = "\n".join(row[0] for row in rows)

    assert "Seq Scan" not in plan
    assert "Index" in plan
