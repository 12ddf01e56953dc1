"""API keys of the services, made and revoked through the only two functions that may do it.

The role `operations` executes them and cannot see a key's hash. Which scopes there are stands here,
because only whoever gives a key has to choose among them.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel

from handoff.site import Site
from handoff.views import Connection, open_database
from shared.clock import utc_now
from shared.web.keys import NewKey, new_key

SCOPES = {
    "marketing-intake": ("leads:write", "leads:read", "sources:write", "operate"),
    "lead-scoring": ("scores:read", "rules:write", "operate"),
    "sales-pipeline": ("deals:read", "deals:write", "reps:write", "operate"),
    "notifier": ("tasks:read", "tasks:write", "operate"),
}
"""Per service what a key may be allowed to do."""

OPERATE = "operate"
SHORT = timedelta(minutes=15)


class KeyRecord(BaseModel):
    """What may be known of a key."""

    service: str
    id: str
    name: str
    scopes: list[str]
    source_id: UUID | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class WrongScopes(Exception):
    """Scopes that the service does not have, or that do not go together; the text says which."""


def check_scopes(service: str, scopes: Sequence[str], source_id: UUID | None) -> None:
    """Make sure that a key of this kind can be of use.

    Raises:
        WrongScopes: it cannot.
    """
    known = SCOPES[service]
    unknown = [scope for scope in scopes if scope not in known]
    if unknown:
        raise WrongScopes(f"{', '.join(unknown)}: {service} has the scopes {', '.join(known)}")
    if source_id is not None and service != "marketing-intake":
        raise WrongScopes(f"only a key of marketing-intake can be tied to a source: not {service}")
    if source_id is not None and OPERATE in scopes:
        raise WrongScopes(f"{OPERATE} is not about one source: give it to a key that is not tied")


async def create(
    connection: Connection,
    *,
    name: str,
    scopes: Sequence[str],
    source_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> NewKey:
    """Make a key; only what is returned holds its secret."""
    key = new_key()
    await connection.execute(
        "SELECT create_api_key($1, $2, $3, $4, $5, $6)",
        key.key_id, key.secret_hash, name, list(dict.fromkeys(scopes)), source_id, expires_at,
    )  # fmt: skip
    return key


async def listed(connection: Connection, service: str) -> list[KeyRecord]:
    """Return all keys of a service, the newest first."""
    rows = await connection.fetch(
        "SELECT key_id AS id, name, scopes, source_id, created_at, expires_at, revoked_at,"
        " last_used_at FROM api_key_list ORDER BY created_at DESC, key_id"
    )
    return [KeyRecord(service=service, **row) for row in rows]


async def revoke(connection: Connection, key_id: str) -> bool:
    """Revoke a key; tell whether it was a live one. It is refused everywhere within 5 s."""
    return bool(await connection.fetchval("SELECT revoke_api_key($1)", key_id))


@asynccontextmanager
async def short_lived(
    site: Site, service: str, scopes: Sequence[str], *, name: str, lasting: timedelta = SHORT
) -> AsyncGenerator[str]:
    """Have a key for the block; it is revoked at its end, and expires if that cannot be done."""
    async with open_database(site, service, read_only=False) as connection:
        key = await create(connection, name=name, scopes=scopes, expires_at=utc_now() + lasting)
        try:
            yield key.text
        finally:
            await revoke(connection, key.key_id)
