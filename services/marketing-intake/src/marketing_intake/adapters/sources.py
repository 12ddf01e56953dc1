"""Sources in the database, and a short memory of them for the hot path."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from marketing_intake.domain.source import DefaultConsent, Source
from shared.database.direct import Row, Statement
from shared.database.errors import Kind, kind_of

MEMORY_SECONDS = 1.0
_MOST_REMEMBERED = 10_000

_COLUMNS = """id, name, kind, channel, mapping, success_url, honeypot, phone_region,
    default_consent, google_key_hash"""
_BY_ID = Statement(f"SELECT {_COLUMNS} FROM source WHERE id = :key")  # noqa: S608  our own columns
_BY_TOKEN = Statement(f"SELECT {_COLUMNS} FROM source WHERE token_hash = :key")  # noqa: S608
_BY_IDS = Statement(f"SELECT {_COLUMNS} FROM source WHERE id = ANY(:ids)")  # noqa: S608


def hash_of(secret: str) -> bytes:
    """Return the hash by which a token is looked up, or a key compared."""
    return hashlib.sha256(secret.encode()).digest()


async def load(connection: AsyncConnection, ids: set[UUID]) -> Mapping[UUID, Source]:
    """Return the sources with these ids."""
    rows = await _BY_IDS.rows(connection, ids=sorted(ids))
    return {row.id: _source(row) for row in rows}


class SourceBook:
    """Sources by id and by token, remembered for a second.

    Those who look for the same at the same time share one read. While the database is away, what is
    remembered goes on to hold.
    """

    def __init__(self, engine: AsyncEngine, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Remember nothing yet."""
        self._engine = engine
        self._clock = clock
        self._known: dict[UUID | bytes, tuple[float, Source]] = {}
        self._reading: dict[UUID | bytes, asyncio.Task[Source | None]] = {}

    async def get(self, source_id: UUID) -> Source | None:
        """Return the source with this id."""
        return await self._look_up(_BY_ID, source_id)

    async def by_token(self, token: str) -> Source | None:
        """Return the source whose address has this token."""
        return await self._look_up(_BY_TOKEN, hash_of(token))

    async def _look_up(self, statement: Statement, key: UUID | bytes) -> Source | None:
        read_at, source = self._known.get(key, (-MEMORY_SECONDS, None))
        if source is not None and self._clock() - read_at < MEMORY_SECONDS:
            return source
        try:
            return await self._read_once(statement, key)
        except Exception as error:
            if source is not None and kind_of(error) is Kind.INFRASTRUCTURE:
                return source
            raise

    async def _read_once(self, statement: Statement, key: UUID | bytes) -> Source | None:
        task = self._reading.get(key)
        if task is None:
            task = asyncio.create_task(self._read(statement, key))
            self._reading[key] = task
            task.add_done_callback(lambda _: self._reading.pop(key, None))
        return await asyncio.shield(task)

    async def _read(self, statement: Statement, key: UUID | bytes) -> Source | None:
        async with self._engine.connect() as connection:
            rows = await statement.rows(connection, key=key)
        if not rows:
            return None
        source = _source(rows[0])
        self._remember(key, source)
        return source

    def _remember(self, key: UUID | bytes, source: Source) -> None:
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[key] = (self._clock(), source)


def _source(row: Row) -> Source:
    return Source(
        id=row.id,
        name=row.name,
        kind=row.kind,
        channel=row.channel,
        mapping=dict(row.mapping),
        success_urls=tuple(row.success_url),
        honeypot=row.honeypot,
        phone_region=row.phone_region,
        default_consents=tuple(DefaultConsent(**each) for each in row.default_consent),
        google_key_hash=row.google_key_hash,
    )
