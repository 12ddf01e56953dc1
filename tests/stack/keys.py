"""API keys of the tests, made as the product makes them."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.web.keys import new_key

_CREATE = text("SELECT create_api_key(:id, :hash, :name, :scopes, :source, NULL)")


async def make_key(
    engine: AsyncEngine, *scopes: str, name: str = "a test", source_id: UUID | str | None = None
) -> str:
    """Return a fresh key with these scopes, for one source only if that is named."""
    key = new_key()
    values = {
        "id": key.key_id,
        "hash": key.secret_hash,
        "name": name,
        "scopes": list(scopes),
        "source": UUID(str(source_id)) if source_id else None,
    }
    async with engine.begin() as connection:
        await connection.execute(_CREATE, values)
    return key.text


def bearer(key: str) -> dict[str, str]:
    """Return the header that shows a key."""
    return {"Authorization": f"Bearer {key}"}
