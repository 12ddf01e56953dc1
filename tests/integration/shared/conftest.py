"""Databases, one small and one with what the web part keeps in each; and the tiny service."""

from collections.abc import AsyncGenerator, Generator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.shared.tiny_process import Tiny, answers, running, wait_until
from tests.stack import databases
from tests.stack.running import Stack

from shared import limits
from shared.database.migrate import execute_script


@pytest.fixture
async def url(stack: Stack) -> AsyncGenerator[str]:
    """A database with one table, `thing`."""
    url = await databases.make_empty(stack, "notifier")
    async with databases.opened(url) as engine, engine.begin() as connection:
        await connection.execute(text("CREATE TABLE thing (id int, name text)"))
    yield url
    await databases.drop(stack, url)


@pytest.fixture(scope="module")
async def web_engine(stack: Stack) -> AsyncGenerator[AsyncEngine]:
    """An engine on a fresh database with the tables that all services have."""
    url = await databases.make_empty(stack, "notifier")
    async with databases.opened(url, limits.API) as engine:
        async with engine.begin() as connection:
            await connection.run_sync(execute_script, "0001_messaging")
            await connection.run_sync(execute_script, "0001_api_key")
            await connection.run_sync(execute_script, "0001_idempotency")
        yield engine
    await databases.drop(stack, url)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Generator[Tiny]:
    """The tiny service as a process that answers."""
    with running(tmp_path_factory.mktemp("tiny")) as tiny:
        wait_until(lambda: answers(tiny))
        yield tiny
