"""The intake's API that the crowds meet: a process for each module, on a database of its own."""

from collections.abc import AsyncGenerator

import asyncpg
import pytest
from tests.hostile.crowds.intake import Intake, serving
from tests.stack.fixtures import DatabaseFor

_STORING_SECONDS = 0.3
_SLOWLY = f"""
    CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_sleep({_STORING_SECONDS});
        RETURN NULL;
    END $$;
    CREATE TRIGGER slowly AFTER INSERT ON submission FOR EACH STATEMENT EXECUTE FUNCTION slowly()
"""


@pytest.fixture(scope="module")
async def intake(
    database_for: DatabaseFor, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Intake]:
    """Run it."""
    url = await database_for("marketing_intake")
    async with serving(url, tmp_path_factory.mktemp("intake") / "api.log") as intake:
        yield intake


@pytest.fixture(scope="module")
async def slow_to_store(
    database_for: DatabaseFor, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Intake]:
    """Run it where a batch takes long to store: ten times as much is little for its cores."""
    url = await database_for("marketing_intake")
    async with serving(url, tmp_path_factory.mktemp("slow") / "api.log") as intake:
        connection = await asyncpg.connect(url, ssl=False)
        await connection.execute(_SLOWLY)
        await connection.close()
        yield intake
