"""API keys: made, recognised without the database, looked up with a short memory, checked.

A key is `hof_live_{id 12}_{secret 32}{checksum 6}`. The secret has 190 random bits, so a plain
SHA-256 of it is stored. Who may make keys is the database's business (`ddl/0001_api_key.sql`),
what a scope allows is the route's.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
import string
import time
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from fastapi import Request
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.clock import utc_now
from shared.web.observe import CALLER
from shared.web.problems import Problem

MEMORY = 2.0
"""Seconds for which a key is believed: a revoked one is refused everywhere well within 5 s."""

_LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SHAPE = re.compile(r"(hof_live_([0-9A-Za-z]{12})_([0-9A-Za-z]{32}))([0-9A-Za-z]{6})")
_MOST_REMEMBERED = 10_000
_FIND = text(
    "SELECT secret_hash, name, scopes, source_id, expires_at,"
    " coalesce(last_used_at < now() - interval '1 hour', true) AS unmarked"
    " FROM api_key WHERE key_id = :key_id AND revoked_at IS NULL"
)
_MARK = text(
    "UPDATE api_key SET last_used_at = now() WHERE key_id ="
    " (SELECT key_id FROM api_key WHERE key_id = :key_id FOR UPDATE SKIP LOCKED)"
)


class NewKey(NamedTuple):
    """A fresh key; only `text` holds the secret, and it is shown once."""

    text: str
    key_id: str
    secret_hash: bytes


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a key, with what it may do, and the only source it is for, if it is tied to one."""

    key_id: str
    name: str
    scopes: frozenset[str]
    source_id: UUID | None


@dataclass(frozen=True, slots=True)
class Known:
    """A live key as it was read."""

    caller: Caller
    secret_hash: bytes
    expires_at: datetime | None
    read_at: float

    def is_fresh(self) -> bool:
        """Tell whether it was read recently enough to be believed."""
        return time.monotonic() - self.read_at < MEMORY

    def opens_with(self, secret_hash: bytes) -> bool:
        """Tell whether the secret is right and the key has not expired."""
        expired = self.expires_at is not None and self.expires_at <= utc_now()
        return hmac.compare_digest(self.secret_hash, secret_hash) and not expired


def new_key() -> NewKey:
    """Make a key."""
    key_id, secret = _random(12), _random(32)
    front = f"hof_live_{key_id}_{secret}"
    return NewKey(front + _checksum(front), key_id, _hash(secret))


def read_key(key: str) -> tuple[str, bytes] | None:
    """Return the id and the secret's hash; None for what was never a key of ours."""
    match = _SHAPE.fullmatch(key)
    if match is None or _checksum(match[1]) != match[4]:
        return None
    return match[2], _hash(match[3])


class Keyring:
    """The keys of one service's database."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Remember nothing yet."""
        self._engine = engine
        self._known: dict[str, Known] = {}
        self._reading: dict[str, asyncio.Task[Known | None]] = {}

    def require(self, *scopes: str, tied: bool = False) -> "Require":
        """Return the dependency that gives the `Caller` who has all of `scopes`.

        `tied`: also one whose key is for one source only; the route then sees to it that nothing
        of another source is shown or changed.
        """
        return Require(self, scopes, tied=tied)

    def require_any(self, *scopes: str, tied: bool = False) -> "Require":
        """Return the dependency that gives the `Caller` who has at least one of `scopes`."""
        return Require(self, scopes, one_is_enough=True, tied=tied)

    async def caller_of(self, key: str) -> Caller | None:
        """Return whose live key this is; None for any other text."""
        parts = read_key(key)
        if parts is None:
            return None
        key_id, secret_hash = parts
        known = self._known.get(key_id)
        if known is None or not known.is_fresh():
            known = await self._read_once(key_id, secret_hash)
        return known.caller if known and known.opens_with(secret_hash) else None

    async def _read_once(self, key_id: str, secret_hash: bytes) -> Known | None:
        """Read a key; those who ask for it at the same time share one read."""
        task = self._reading.get(key_id)
        if task is None:
            task = asyncio.create_task(self._read(key_id, secret_hash))
            self._reading[key_id] = task
            task.add_done_callback(lambda _: self._reading.pop(key_id, None))
        return await asyncio.shield(task)

    async def _read(self, key_id: str, secret_hash: bytes) -> Known | None:
        began = time.monotonic()
        async with self._engine.begin() as connection:
            row = (await connection.execute(_FIND, {"key_id": key_id})).one_or_none()
            if row is None:
                self._known.pop(key_id, None)
                return None
            caller = Caller(key_id, row.name, frozenset(row.scopes), row.source_id)
            known = Known(caller, row.secret_hash, row.expires_at, began)
            if row.unmarked and known.opens_with(secret_hash):
                await connection.execute(_MARK, {"key_id": key_id})
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[key_id] = known
        return known


class Require:
    """The dependency: who asks, or 401 or 403. OpenAPI finds the scopes here."""

    def __init__(
        self,
        keyring: Keyring,
        scopes: tuple[str, ...],
        *,
        one_is_enough: bool = False,
        tied: bool = False,
    ) -> None:
        """Let pass who has all of `scopes`, or one of them."""
        self._keyring = keyring
        self._scopes = scopes
        self._one_is_enough = one_is_enough
        self._tied = tied

    def __str__(self) -> str:
        """Say what a key needs here, for the document and for who lacks it."""
        link = " or " if self._one_is_enough else " and "
        return f"the scope {link.join(self._scopes)}" if self._scopes else "a key"

    def _allows(self, caller: Caller) -> bool:
        if self._one_is_enough:
            return not caller.scopes.isdisjoint(self._scopes)
        return caller.scopes.issuperset(self._scopes)

    async def __call__(self, request: Request) -> Caller:
        """Return who asks.

        Raises:
            Problem: 401 without a live key, 403 where a scope is missing or the key is tied.
        """
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise _unknown("Send the header Authorization: Bearer hof_live_…", "Bearer")
        caller = await self._keyring.caller_of(key.strip())
        if caller is None:
            raise _unknown(
                "This key is not known here, was revoked, or has expired.",
                'Bearer error="invalid_token"',
            )
        request.scope[CALLER] = caller.key_id
        if not self._allows(caller):
            raise self._forbidden()
        if caller.source_id is not None and not self._tied:
            raise _too_narrow()
        return caller

    def _forbidden(self) -> Problem:
        scopes = " ".join(self._scopes)
        return Problem(
            403,
            "missing-scope",
            "The key lacks a scope",
            f"This needs a key with {self}.",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scopes}"'},
        )


def _too_narrow() -> Problem:
    detail = "This is not about one source alone: it needs a key that is tied to none."
    return Problem(403, "key-is-tied", "The key is tied to one source", detail)


def _unknown(detail: str, challenge: str) -> Problem:
    return Problem(
        401, "unauthenticated", "No valid key", detail, headers={"WWW-Authenticate": challenge}
    )


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _checksum(front: str) -> str:
    number = zlib.crc32(front.encode())
    letters = ""
    for _ in range(6):
        number, rest = divmod(number, len(_LETTERS))
        letters = _LETTERS[rest] + letters
    return letters
