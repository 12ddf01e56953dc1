"""What people do about parked leads and an open breaker, by the command."""

import json
from collections.abc import AsyncGenerator
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.operations.conftest import park
from tests.stack import databases
from tests.stack.system import System

from shared.ids import new_id

SERVICE = "lead-scoring"


@pytest.fixture
async def engine(system: System) -> AsyncGenerator[AsyncEngine]:
    async with databases.opened(system.status["services"][SERVICE]["database"]) as engine:
        yield engine


@pytest.fixture
async def strangers(engine: AsyncEngine) -> AsyncGenerator[list[UUID]]:
    """Leads that the intake never said: gone again with the test, or an audit would name them."""
    leads: list[UUID] = []
    yield leads
    async with engine.begin() as connection:
        for table, column in (("touchpoint", "lead_id"), ("lead_score", "lead_id"),
                              ("stream", "subject")):  # fmt: skip
            statement = text(f"DELETE FROM {table} WHERE {column} = ANY(:leads)")  # noqa: S608
            await connection.execute(statement, {"leads": leads})


async def test_all_leads_of_one_cause_are_released_and_a_second_person_is_told(
    system: System, engine: AsyncEngine, strangers: list[UUID]
) -> None:
    cause = f"Error{new_id().hex}"
    leads = [await park(engine, "ACME", error=f"{cause}: no") for _ in range(101)]
    strangers += leads
    listed = json.loads(system.handoff("parked", "list", "--by-cause", "--json").stdout)
    unsure = system.handoff("parked", "release", "--cause", cause, check=False)
    first = system.handoff("parked", "release", "--cause", cause, "--yes")
    second = system.handoff("parked", "release", "--cause", cause, check=False)
    history = system.handoff("parked", "history", str(leads[0]))

    assert [(c["service"], c["leads"]) for c in listed if c["cause"] == cause] == [(SERVICE, 101)]
    assert (unsure.returncode, "--yes" in unsure.stderr) == (1, True)
    assert "101 leads released, 0 still failing" in first.stdout
    assert (second.returncode, "or none any more" in second.stderr) == (1, True)
    assert "release" in history.stdout


async def test_what_is_given_up_keeps_who_and_why_and_is_given_up_once(
    system: System, engine: AsyncEngine, strangers: list[UUID]
) -> None:
    strangers.append(await park(engine, "ACME", "ACME"))
    lead = str(strangers[0])
    first = system.handoff("parked", "discard", lead, "--reason", "a test of theirs")
    second = system.handoff("parked", "discard", lead, "--reason", "a test", check=False)
    history = json.loads(system.handoff("parked", "history", lead, "--json").stdout)

    assert "discarded 2 events" in first.stdout
    assert (second.returncode, second.stderr.strip()) == (1, f"Nothing is parked of {lead}.")
    assert [(o["verb"], o["reason"], o["count"]) for o in history] == [
        ("discard", "a test of theirs", 2)
    ]
    assert "handoff command" in history[0]["actor"]


async def test_an_open_breaker_is_shown_and_closed_once(system: System) -> None:
    owner = await asyncpg.connect(system.status["services"][SERVICE]["database"], ssl=False)
    await owner.execute(
        "INSERT INTO breaker (name, version, in_a_row, counted, poisoned, opened_at, reason)"
        " VALUES ('lead-scoring', '0.0.1+old', 20, 20, 20, now(), 'lead.captured: KeyError')"
    )
    listed = system.handoff("breaker", "list")
    first = system.handoff("breaker", "close", SERVICE)
    second = system.handoff("breaker", "close", SERVICE, check=False)
    await owner.execute("DELETE FROM breaker WHERE version = '0.0.1+old'")
    await owner.close()

    assert "lead.captured: KeyError" in listed.stdout
    assert "0.0.1+old" in first.stdout
    assert (second.returncode, "is not open" in second.stderr) == (1, True)
