"""Writes captured submissions: one statement and one commit for all that arrived together.

On asyncpg, through the engine's pool: on the hot path SQLAlchemy's own statements cost a third of
the throughput. What is captured, and what a repeat is answered, is the edge's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from marketing_intake.domain.submission import Outcome, State
from shared.database.kept import KeptConnection


@dataclass(frozen=True, slots=True)
class Captured:
    """A submission that is to be stored.

    `key` is the sender's name for it, `hash` what it holds; `own_key` tells our own API's keys,
    under which other content is refused.
    """

    id: UUID
    source_id: UUID
    body: bytes
    received_at: datetime
    key: str | None = None
    hash: bytes | None = None
    own_key: bool = False
    sender: str = "{}"
    traceparent: str | None = None
    state: State = "received"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is known of a submission: the answer to whoever posted it, or posted it again."""

    receipt_id: UUID
    state: State = "received"
    outcome: Outcome | None = None
    lead_id: UUID | None = None
    reason: str | None = None
    repeated: bool = False


class OtherContent(Exception):
    """The key was used before, for something else."""


_CAPTURE = """
WITH arrived AS (
    SELECT * FROM unnest(
        $1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::bytea[], $6::text[], $7::text[],
        $8::timestamptz[], $9::text[], $10::text[]
    ) AS r (id, source_id, key, hash, body, sender, traceparent, received_at, state, reason)
), won AS (
    INSERT INTO submission_key (source_id, key, receipt_id, hash, outcome, reason)
    SELECT source_id, key, id, hash, CASE WHEN state <> 'received' THEN state END, reason
    FROM arrived WHERE key IS NOT NULL ORDER BY source_id, key, id
    ON CONFLICT DO NOTHING RETURNING receipt_id
)
INSERT INTO submission
    (id, source_id, key, content_hash, body, sender, traceparent, received_at, state, reason)
SELECT id, source_id, key, CASE WHEN key IS NULL THEN hash END, body, sender::jsonb, traceparent,
       received_at, state, reason
FROM arrived WHERE key IS NULL OR id IN (SELECT receipt_id FROM won)
RETURNING id
"""

_CAPTURE_UNKEYED = """
INSERT INTO submission
    (id, source_id, content_hash, body, sender, traceparent, received_at, state, reason)
SELECT id, source_id, hash, body, sender::jsonb, traceparent, received_at, state, reason
FROM unnest(
    $1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::bytea[], $6::text[], $7::text[],
    $8::timestamptz[], $9::text[], $10::text[]
) AS r (id, source_id, key, hash, body, sender, traceparent, received_at, state, reason)
RETURNING id
"""

_WINNERS = """
SELECT k.source_id, k.key, k.receipt_id, k.hash,
       coalesce(s.state, k.outcome, 'received') AS state,
       coalesce(s.outcome, k.outcome) AS outcome,
       coalesce(s.lead_id, k.lead_id) AS lead_id,
       coalesce(s.reason, k.reason) AS reason
FROM unnest($1::uuid[], $2::text[]) AS r (source_id, key)
CROSS JOIN LATERAL (
    SELECT * FROM submission_key k WHERE k.source_id = r.source_id AND k.key = r.key LIMIT 1
) k
LEFT JOIN LATERAL (SELECT * FROM submission s WHERE s.id = k.receipt_id LIMIT 1) s ON true
"""

Answer = Receipt | Exception


class CaptureStatement:
    """What the flusher calls to write. One caller at a time: it keeps one connection."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Connect at the first batch."""
        self._kept = KeptConnection(engine)

    async def write(self, rows: Sequence[Captured]) -> list[Answer]:
        """Store the submissions and commit; answer each, in their order.

        A repeat is answered with the first one's present state; where a machine sender used its
        own id again for something else, that is a submission of its own.

        Raises:
            asyncpg.PostgresError: none of them was stored, or (connection lost) nobody knows.
        """
        driver = await self._kept.driver()
        try:
            return await _write(driver, rows)
        except BaseException as error:
            if not isinstance(error, asyncpg.PostgresError) or driver.is_closed():
                await self._kept.close(lost=True)
            raise

    async def close(self) -> None:
        """Give the connection back."""
        await self._kept.close()


async def _write(
    driver: "asyncpg.Connection[asyncpg.Record]", rows: Sequence[Captured]
) -> list[Answer]:
    answers = await _capture(driver, rows)
    own = [n for n, answer in enumerate(answers) if _is_its_own(rows[n], answer)]
    if own:
        renamed = [_renamed(rows[n]) for n in own]
        for n, answer in zip(own, await _capture(driver, renamed), strict=True):
            answers[n] = answer
    return answers


def _is_its_own(row: Captured, answer: Answer) -> bool:
    return isinstance(answer, OtherContent) and not row.own_key


def _renamed(row: Captured) -> Captured:
    """Return the submission under a key that names its content too."""
    return replace(row, key=f"{row.key}#{(row.hash or b'').hex()}")


async def _capture(
    driver: "asyncpg.Connection[asyncpg.Record]", rows: Sequence[Captured]
) -> list[Answer]:
    keyed = any(row.key is not None for row in rows)
    stored = await driver.fetch(_CAPTURE if keyed else _CAPTURE_UNKEYED, *_columns(rows))
    if len(stored) == len(rows):
        return [Receipt(row.id, row.state, _outcome(row), reason=row.reason) for row in rows]
    ids = {record["id"] for record in stored}
    lost = [row for row in rows if row.id not in ids]
    winners = await driver.fetch(
        _WINNERS, [row.source_id for row in lost], [row.key for row in lost]
    )
    first = {(record["source_id"], record["key"]): record for record in winners}
    return [
        Receipt(row.id, row.state, _outcome(row), reason=row.reason)
        if row.id in ids
        else _repeat(row, first.get((row.source_id, row.key)))
        for row in rows
    ]


def _repeat(row: Captured, first: "asyncpg.Record | None") -> Answer:
    if first is None:
        return ConnectionError("the key that won is not there: its transaction is in doubt")
    if first["hash"] not in (row.hash, b""):
        return OtherContent("this key was used before, with other content")
    return Receipt(
        first["receipt_id"],
        first["state"],
        first["outcome"],
        first["lead_id"],
        first["reason"],
        repeated=True,
    )


def _outcome(row: Captured) -> Outcome | None:
    return "quarantined" if row.state == "quarantined" else None


def _columns(rows: Sequence[Captured]) -> list[list[Any]]:
    return [
        [row.id for row in rows],
        [row.source_id for row in rows],
        [row.key for row in rows],
        [row.hash for row in rows],
        [row.body for row in rows],
        [row.sender for row in rows],
        [row.traceparent for row in rows],
        [row.received_at for row in rows],
        [row.state for row in rows],
        [row.reason for row in rows],
    ]
