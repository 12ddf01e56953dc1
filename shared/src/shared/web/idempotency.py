"""`Idempotency-Key`: the same request twice has one effect and one answer.

A route calls `recall` first in its transaction and `remember` last in it. Two at once: the second
waits for the first to commit and then gives its answer; if the first rolls back, the second acts.
Only what was committed is remembered, so after a 5xx the same key is simply tried again.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import Header
from pydantic import BaseModel, SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from shared.web.keys import Caller
from shared.web.problems import FieldError, Problem

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,200}$",
        max_length=200,
        description="your own name for this request: repeat it, and nothing happens twice",
    ),
]

_TAKE_TURNS = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 4217))")
_FIND = text(
    "SELECT fingerprint, status, headers, body FROM idempotency"
    " WHERE key_id = :key_id AND key = :key"
)
_KEEP = text(
    "INSERT INTO idempotency (key_id, key, fingerprint, status, headers, body, subject)"
    " VALUES (:key_id, :key, :fingerprint, :status, CAST(:headers AS jsonb), :body, :subject)"
)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer that was given and is given again; `body` is its JSON."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def response(self) -> Response:
        """Return the answer."""
        return Response(self.body, self.status, dict(self.headers), "application/json")


def fingerprint(act: str, content: BaseModel | None = None) -> bytes:
    """Return what tells one request from another: the act (route and ids) and the parsed fields."""
    parsed = content.model_dump() if content is not None else None
    text_of_it = json.dumps([act, parsed], sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text_of_it.encode()).digest()


def _plain(value: object) -> str:
    """Return as text what JSON has no form for; another secret is another request too."""
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


async def recall(
    connection: AsyncConnection, caller: Caller, key: str | None, request_fingerprint: bytes
) -> StoredAnswer | None:
    """Return the answer that this caller's key got before; None: act, then `remember`.

    Holds the key until the transaction ends. Without a key there is nothing to recall.

    Raises:
        Problem: 422, the key was used for another request.
    """
    if key is None:
        return None
    await connection.execute(_TAKE_TURNS, {"name": f"{caller.key_id}/{key}"})
    found = await connection.execute(_FIND, {"key_id": caller.key_id, "key": key})
    row = found.one_or_none()
    if row is None:
        return None
    if row.fingerprint != request_fingerprint:
        raise other_content()
    headers = {**row.headers, "Idempotency-Replayed": "true"}
    return StoredAnswer(row.status, row.body, headers)


async def remember(
    connection: AsyncConnection,
    caller: Caller,
    key: str | None,
    request_fingerprint: bytes,
    *,
    answer: StoredAnswer,
    subject: UUID | None = None,
) -> None:
    """Keep the answer with the effect it tells of; call it in the transaction of `recall`.

    `subject`: whom it tells of; it goes when they are erased (`messaging.erasure`).
    """
    if key is None:
        return
    row = {"key_id": caller.key_id, "key": key, "fingerprint": request_fingerprint}
    told = {"status": answer.status, "headers": json.dumps(dict(answer.headers))}
    await connection.execute(_KEEP, row | told | {"body": answer.body, "subject": subject})


def other_content() -> Problem:
    """Return the problem for a key that comes a second time, with other content."""
    detail = "Idempotency-Key was used for another request: use a new one"
    error = FieldError("header", "Idempotency-Key", "idempotency_key_reused", detail)
    return Problem(422, "idempotency-key-reused", "Another request had this key", detail, [error])
