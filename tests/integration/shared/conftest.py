"""A database with what the web part keeps in every service's database."""

from collections.abc import AsyncGenerator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.stack import databases
from tests.stack.running import Stack

from shared.database.engine import open_engine
from shared.database.migrate import execute_script
from shared.settings import DatabaseSettings


@pytest.fixture(scope="module")
async def web_engine(stack: Stack) -> AsyncGenerator[AsyncEngine]:
    """An engine on a fresh database with the tables of keys and idempotency."""
    url = await databases.make_empty(stack, "notifier")
    engine = open_engine(DatabaseSettings(database_url=url))
    async with engine.begin() as connection:
        await connection.run_sync(execute_script, "0001_api_key")
        await connection.run_sync(execute_script, "0001_idempotency")
    yield engine
    await engine.dispose()
    await databases.drop(stack, url)
