"""What each role of a service says at its start of a database that is not as it must be."""

from collections.abc import AsyncGenerator
from pathlib import Path

import asyncpg
import pytest
from tests.stack import beginning, databases
from tests.stack.fixtures import DatabaseFor
from tests.stack.running import Stack
from tests.stack.services import environment, running, service

from shared.settings import KafkaSettings

PACKAGE = "lead_scoring"
EVERY_ROLE = pytest.mark.parametrize("role", ["api", "worker", "migrate"])
EVERY_ROLE_THAT_STAYS = pytest.mark.parametrize("role", ["api", "worker"])
CLOCK_OFF, CODE_OF = "tests.stack.clock_off", "tests.stack.code_of"


@pytest.fixture(scope="module")
async def url(database_for: DatabaseFor) -> str:
    return await database_for(PACKAGE)


@pytest.fixture(scope="module")
async def others(database_for: DatabaseFor) -> str:
    return await database_for("notifier")


@pytest.fixture
def told(url: str, kafka_settings: KafkaSettings) -> dict[str, str]:
    return environment(url, kafka_settings, "begins")


@pytest.fixture(scope="module")
async def latin(stack: Stack) -> AsyncGenerator[str]:
    """A database that keeps western letters alone."""
    url = await databases.make_latin(stack, PACKAGE)
    yield url
    await databases.drop(stack, url)


def words(role: str, *before: str) -> tuple[str, ...]:
    return ("-m", *before, f"{PACKAGE}.{role}")


@EVERY_ROLE
async def test_a_setting_that_is_missing_ends_it_with_one_line(
    told: dict[str, str], role: str
) -> None:
    del told["HANDOFF_DATABASE_URL"]
    how = await beginning.ended(told, *words(role))

    assert (how.code, len(how.lines)) == (2, 1)
    assert "HANDOFF_DATABASE_URL is missing: set it, or HANDOFF_DATABASE_URL_FILE" in how.lines[0]


@EVERY_ROLE
async def test_a_secret_that_ends_with_a_line_break_is_refused_by_its_name(
    told: dict[str, str], role: str
) -> None:
    told |= {"HANDOFF_KAFKA_USER": "scoring", "HANDOFF_KAFKA_PASSWORD": "a-secret\n"}
    how = await beginning.ended(told, *words(role))

    assert (how.code, len(how.lines)) == (2, 1)
    assert "HANDOFF_KAFKA_PASSWORD: begins or ends with a blank or a line break" in how.lines[0]
    assert "a-secret" not in how.lines[0]


@EVERY_ROLE
@pytest.mark.parametrize("setting", ["HANDOFF_DATABASE_CA", "HANDOFF_KAFKA_CA"])
async def test_an_authority_that_is_no_pem_is_refused_by_its_name(
    told: dict[str, str], role: str, setting: str
) -> None:
    how = await beginning.ended({**told, setting: __file__}, *words(role))

    assert (how.code, len(how.lines)) == (2, 1)
    assert f"{setting}: {__file__} holds no certificate of an authority in PEM" in how.lines[0]


@EVERY_ROLE_THAT_STAYS
async def test_a_password_that_is_wrong_is_told_by_its_setting_and_waited_for(
    told: dict[str, str], tmp_path: Path, role: str
) -> None:
    right = told["HANDOFF_DATABASE_URL"]
    told["HANDOFF_DATABASE_URL"] = right.replace(f"//{PACKAGE}:", f"//{PACKAGE}:no")
    async with running(service(told, tmp_path / "log", f"{PACKAGE}.{role}")) as process:
        said = await beginning.said(process, "waits_for_database")

    assert said.startswith("The database does not let us in: password authentication failed")
    assert said.endswith("see HANDOFF_DATABASE_URL.")


@EVERY_ROLE_THAT_STAYS
async def test_a_database_that_is_away_is_waited_for_by_its_setting(
    told: dict[str, str], tmp_path: Path, role: str
) -> None:
    told["HANDOFF_DATABASE_URL"] = "postgresql://scoring:secret@127.0.0.1:1/lead_scoring"
    async with running(service(told, tmp_path / "log", f"{PACKAGE}.{role}")) as process:
        said = await beginning.said(process, "waits_for_database")

    assert "see HANDOFF_DATABASE_URL." in said
    assert "secret" not in said


async def test_a_migration_of_a_database_that_is_away_ends_and_may_be_tried_again(
    told: dict[str, str],
) -> None:
    told["HANDOFF_DATABASE_URL"] = "postgresql://scoring:secret@127.0.0.1:1/lead_scoring"
    how = await beginning.ended(told, *words("migrate"))

    assert (how.code, len(how.lines)) == (1, 1)
    assert "see HANDOFF_DATABASE_URL." in how.last_words


@EVERY_ROLE
async def test_a_database_of_western_letters_alone_is_refused_with_what_to_make(
    told: dict[str, str], latin: str, role: str
) -> None:
    told["HANDOFF_DATABASE_URL"] = latin
    how = await beginning.ended(told, *words(role))

    assert how.code == 1
    assert how.last_words == (
        "The database of HANDOFF_DATABASE_URL keeps text as LATIN1, so some names cannot be kept:"
        " make it anew with ENCODING 'UTF8' TEMPLATE template0."
    )


@EVERY_ROLE
async def test_the_database_of_another_service_is_refused(
    told: dict[str, str], others: str, role: str
) -> None:
    told["HANDOFF_DATABASE_URL"] = others
    how = await beginning.ended(told, *words(role))

    assert how.code == 1
    assert how.last_words == (
        "HANDOFF_DATABASE_URL leads to the database of notifier: name that of lead_scoring."
    )


async def test_a_worker_refuses_a_clock_that_is_ten_minutes_off(told: dict[str, str]) -> None:
    how = await beginning.ended(told, *words("worker", CLOCK_OFF, "-600"))

    assert how.code == 1
    assert how.last_words == (
        "The clock of the database of HANDOFF_DATABASE_URL is +600 s off ours: set both by NTP."
    )


async def test_a_migration_warns_of_a_clock_that_is_ten_minutes_off(told: dict[str, str]) -> None:
    how = await beginning.ended(told, *words("migrate", CLOCK_OFF, "600"))

    assert how.code == 0
    assert ["is -600 s off ours: set both by NTP" in said for said in how.warned] == [True]


@pytest.mark.parametrize(("role", "seconds"), [("api", "600"), ("api", "20"), ("worker", "20")])
async def test_a_clock_that_is_off_is_told_of_by_who_goes_on(
    told: dict[str, str], tmp_path: Path, role: str, seconds: str
) -> None:
    process = service(told, tmp_path / "log", CLOCK_OFF, seconds, f"{PACKAGE}.{role}")
    async with running(process):
        await process.ready()
        said = await beginning.said(process, "amiss")

    assert f"is -{seconds} s off ours: set both by NTP" in said


async def test_tables_of_newer_code_are_left_alone_by_a_migration(
    told: dict[str, str], url: str
) -> None:
    owner = await asyncpg.connect(url, ssl=False)
    await owner.execute("UPDATE alembic_version SET version_num = '9999'")
    try:
        how = await beginning.ended(told, *words("migrate"))
        left = await owner.fetchval("SELECT version_num FROM alembic_version")
    finally:
        await owner.execute("UPDATE alembic_version SET version_num = '0001'")
        await owner.close()

    assert (how.code, left) == (0, "9999")
    (warned,) = how.warned
    assert warned.startswith("The tables of HANDOFF_DATABASE_URL are of version 9999, newer than")
    assert warned.endswith("run the newer code. Nothing is migrated.")


@EVERY_ROLE_THAT_STAYS
@pytest.mark.parametrize(
    ("code", "event", "said"),
    [
        ("0002", "waits_for_tables", "this code of 0002: run `python -m lead_scoring.migrate`."),
        ("0000", "newer_tables", "newer than this code of 0000, which works on them"),
    ],
    ids=["older tables", "newer tables"],
)
async def test_tables_of_another_version_are_told_by_their_setting(
    told: dict[str, str], tmp_path: Path, role: str, code: str, event: str, said: str
) -> None:
    words = (CODE_OF, code, f"{PACKAGE}.{role}")
    async with running(service(told, tmp_path / "log", *words)) as process:
        heard = await beginning.said(process, event)

    assert heard.startswith("The tables of HANDOFF_DATABASE_URL are of version 0001, ")
    assert said in heard


async def test_an_api_says_that_its_tables_are_missing_and_what_makes_them(
    told: dict[str, str], url: str, tmp_path: Path
) -> None:
    owner = await asyncpg.connect(url, ssl=False)
    await owner.execute("ALTER TABLE alembic_version RENAME TO elsewhere")
    try:
        async with running(service(told, tmp_path / "log", f"{PACKAGE}.api")) as process:
            said = await beginning.said(process, "waits_for_tables")
    finally:
        await owner.execute("ALTER TABLE elsewhere RENAME TO alembic_version")
        await owner.close()

    assert said == (
        "The database of HANDOFF_DATABASE_URL has no tables yet:"
        " run `python -m lead_scoring.migrate`."
    )


@EVERY_ROLE_THAT_STAYS
async def test_where_all_is_as_it_must_be_nothing_is_warned_of(
    told: dict[str, str], tmp_path: Path, role: str
) -> None:
    async with running(service(told, tmp_path / "log", f"{PACKAGE}.{role}")) as process:
        await process.ready()

    assert beginning.amiss(tmp_path / "log") == []


async def test_a_migration_warns_of_nothing_where_all_is_as_it_must_be(
    told: dict[str, str],
) -> None:
    how = await beginning.ended(told, *words("migrate"))

    assert (how.code, how.lines) == (0, [])
