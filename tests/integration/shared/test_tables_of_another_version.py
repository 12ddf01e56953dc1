"""Code on a database that was not migrated, or was migrated by newer code."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs
from tests.stack.databases import opened
from tests.stack.fixtures import DatabaseFor
from tests.stack.services import environment, running, service

from shared.database import schema
from shared.database.schema import Tables
from shared.settings import KafkaSettings

PACKAGE = "lead_scoring"
NO_TABLES = (
    "The database of HANDOFF_DATABASE_URL has no tables yet: run `python -m lead_scoring.migrate`."
)


@pytest.fixture(scope="module")
async def engine(database_for: DatabaseFor) -> AsyncGenerator[AsyncEngine]:
    async with opened(await database_for(PACKAGE)) as engine:
        yield engine


async def move(engine: AsyncEngine, words: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(words))


async def test_what_was_migrated_is_fit(engine: AsyncEngine) -> None:
    assert schema.known_versions(PACKAGE)[-1] == await Tables(engine, PACKAGE).version()
    assert await Tables(engine, PACKAGE).fault() is None


async def test_older_tables_are_named_with_what_brings_them_up_to_date(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "known_versions", lambda _package: ["0001", "0002"])

    assert await Tables(engine, PACKAGE).fault() == (
        "The tables of HANDOFF_DATABASE_URL are of version 0001, this code of 0002:"
        " run `python -m lead_scoring.migrate`."
    )


async def test_newer_tables_are_worked_on_and_told_of_once(engine: AsyncEngine) -> None:
    tables = Tables(engine, PACKAGE)
    await move(engine, "UPDATE alembic_version SET version_num = '9999'")
    try:
        with capture_logs() as logs:
            assert [await tables.fault(), await tables.fault()] == [None, None]
    finally:
        await move(engine, "UPDATE alembic_version SET version_num = '0001'")

    assert [(log["event"], "are of version 9999" in log["said"]) for log in logs] == [
        ("newer_tables", True)
    ]


async def test_an_empty_database_is_named_with_what_makes_its_tables(engine: AsyncEngine) -> None:
    await move(engine, "ALTER TABLE alembic_version RENAME TO elsewhere")
    try:
        said = await Tables(engine, PACKAGE).fault()
    finally:
        await move(engine, "ALTER TABLE elsewhere RENAME TO alembic_version")

    assert said == NO_TABLES


async def test_a_worker_begins_no_work_before_the_tables_are_there(
    engine: AsyncEngine, kafka_settings: KafkaSettings, tmp_path: Path
) -> None:
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    told = environment(url, kafka_settings, "waits-for-tables")
    await move(engine, "ALTER TABLE alembic_version RENAME TO elsewhere")
    async with running(service(told, tmp_path / "log", f"{PACKAGE}.worker")) as process:
        try:
            waiting = await process.troubles()
        finally:
            await move(engine, "ALTER TABLE elsewhere RENAME TO alembic_version")
        await process.ready()

    assert NO_TABLES in waiting
    assert '"worker":"has not begun"' in waiting
    assert "loop " not in waiting
    assert "waits_for_tables" in (tmp_path / "log").read_text()
