"""The password of a database's role is changed while an engine is in use, in either order."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from structlog.testing import capture_logs
from tests.stack.logins import Login, own_login
from tests.stack.running import Stack

from shared.database.engine import open_engine
from shared.database.errors import Kind, kind_of
from shared.files import SecretFile
from shared.settings import DatabaseSettings

SECOND = "a-second-one"


@pytest.fixture
async def login(stack: Stack, tmp_path: Path) -> AsyncGenerator[Login]:
    async with own_login(stack, stack.postgres_url, tmp_path / "uri") as login:
        yield login


@pytest.fixture
async def engine(login: Login) -> AsyncGenerator[AsyncEngine]:
    engine = open_engine(DatabaseSettings(database_url=SecretFile(login.file)))
    yield engine
    await engine.dispose()


async def answers(connection: AsyncConnection) -> bool:
    return await connection.scalar(text("SELECT 1")) == 1


async def test_open_connections_live_on_and_new_ones_use_the_new_password(
    engine: AsyncEngine, login: Login
) -> None:
    async with engine.connect() as before:
        await login.alter(SECOND)
        login.write(SECOND)
        async with engine.connect() as after:
            assert (await answers(before), await answers(after)) == (True, True)


async def test_while_only_the_file_is_changed_the_password_before_it_opens(
    engine: AsyncEngine, login: Login
) -> None:
    async with engine.connect():
        login.write(SECOND)
        with capture_logs() as logs:
            async with engine.connect() as meanwhile:
                assert await answers(meanwhile)
                await login.alter(SECOND)
                async with engine.connect() as afterwards:
                    assert await answers(afterwards)

    assert [log["event"] for log in logs] == ["new_database_address_refused"]
    assert SECOND not in str(logs)


async def test_while_only_the_role_is_changed_nobody_new_is_let_in_and_that_is_waited_for(
    engine: AsyncEngine, login: Login
) -> None:
    async with engine.connect() as before:
        await login.alter(SECOND)
        with pytest.raises(Exception, match="password authentication failed") as refused:
            async with engine.connect():
                pass
        assert kind_of(refused.value) is Kind.INFRASTRUCTURE
        assert await answers(before)
        login.write(SECOND)
        async with engine.connect() as after:
            assert await answers(after)


@pytest.mark.parametrize("half", ["postgresql://login", "postgresql://login:pass", "postgres", ":"])
async def test_half_an_address_is_no_way_in_and_the_whole_one_before_it_opens(
    engine: AsyncEngine, login: Login, half: str
) -> None:
    async with engine.connect():
        login.file.write_text(half)
        async with engine.connect() as connection:
            assert await answers(connection)
