"""A hearer's database or a topic's records are lost: a replay brings everything back, once."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tests.e2e.walk import Doors, a_rep, a_source, capture, doors, eventually, somebody
from tests.stack import topics
from tests.stack.system import System

from shared.clock import utc_now
from shared.ids import new_id

LEADS = 12
SERVICES = ("marketing-intake", "lead-scoring", "sales-pipeline", "notifier")
FORGET = """
    DELETE FROM task WHERE lead_id = ANY($1);
    DELETE FROM lead WHERE id = ANY($1);
    DELETE FROM stream WHERE subject = ANY($1);
"""


async def fetch(system: System, service: str, sql: str, *values: object) -> list[asyncpg.Record]:
    """Return rows of a service's database."""
    url = system.status["services"][service]["database"]
    connection = await asyncpg.connect(url, ssl=False)
    try:
        return await connection.fetch(sql, *values)
    finally:
        await connection.close()


async def forget(system: System, leads: Sequence[UUID]) -> None:
    """Let the notifier lose what it knew of leads, as a backup from before them would."""
    for statement in filter(str.strip, FORGET.split(";")):
        await fetch(system, "notifier", statement, list(leads))


async def tasks(system: System, leads: Sequence[UUID]) -> list[tuple[Any, ...]]:
    """Return the tasks of leads, but for what a task made anew has of its own."""
    sql = "SELECT lead_id, deal_id, kind, title FROM task WHERE lead_id = ANY($1) ORDER BY 1, 2, 3"
    return [tuple(row) for row in await fetch(system, "notifier", sql, list(leads))]


async def everything(system: System) -> dict[str, list[tuple[Any, ...]]]:
    """Return how many rows each table of each database has, and how far all is heard."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for service in SERVICES:
        names = "SELECT relname FROM pg_stat_user_tables WHERE relname <> ALL($1) ORDER BY 1"
        own = ["replay_order", "lease", "api_key", "attempt", "breaker"]
        for row in await fetch(system, service, names, own):
            count = f"SELECT count(*) FROM {row[0]}"  # noqa: S608  a name of our own
            found[f"{service} {row[0]}"] = [tuple((await fetch(system, service, count))[0])]
        heard = "SELECT topic, subject, last_sequence, last_event_id FROM stream ORDER BY 1, 2"
        found[service] = [tuple(row) for row in await fetch(system, service, heard)]
    return found


def replay(system: System, *words: str, code: int = 0) -> dict[str, Any]:
    """Run `handoff replay`; return what it tells programs."""
    done = system.handoff("replay", *words, "--json", check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def total(order: dict[str, Any], name: str) -> int:
    return sum(counted[name] for counted in order["counts"])


@pytest.fixture(scope="module")
async def leads(system: System) -> AsyncGenerator[tuple[list[UUID], datetime]]:
    """Leads that became deals with tasks, and a moment before them."""
    since = utc_now()
    async with doors(system) as door:
        await a_rep(door.pipeline)
        source = await a_source(door.intake)
        yield await walk(system, door, source["id"], LEADS), since


async def walk(system: System, door: Doors, source_id: str, count: int) -> list[UUID]:
    """Let leads come in, and wait for the first task of each."""
    people = [somebody(source_id=source_id) for _ in range(count)]
    ids = [UUID(await capture(door.intake, person)) for person in people]

    async def all_have_tasks() -> bool:
        return len(await tasks(system, ids)) == count

    await eventually(all_have_tasks, seconds=40)
    return ids


async def test_a_hearer_that_lost_its_memory_is_healed_while_leads_come_in(
    system: System, leads: tuple[list[UUID], datetime]
) -> None:
    ids, since = leads
    before = await tasks(system, ids)
    await forget(system, ids)
    heal = ("heal", "--service", "notifier", "--since", since.isoformat())
    dry = replay(system, *heal, "--dry-run")
    assert await tasks(system, ids) == []
    async with doors(system) as door:
        source = await a_source(door.intake)
        coming = asyncio.create_task(walk(system, door, source["id"], 5))
        first = await asyncio.to_thread(replay, system, *heal)
        await coming
    audit = system.handoff("audit", check=False)
    level = await everything(system)
    again = replay(system, *heal)

    assert await tasks(system, ids) == before
    assert total(dry, "applied") == total(first, "applied") > 0
    assert audit.returncode == 0, audit.stdout
    assert (total(again, "applied"), total(again, "parked")) == (0, 0)
    assert await everything(system) == level


async def test_records_that_kafka_lost_are_republished_and_heard(
    system: System, leads: tuple[list[UUID], datetime]
) -> None:
    ids, since = leads
    before = await tasks(system, ids)
    await forget(system, ids)
    await topics.forget(system.status["kafka"]["bootstrap"], "handoff.deals.v1")
    again = ("--since", since.isoformat())
    sent = replay(system, "republish", "--service", "sales-pipeline", *again)
    replay(system, "heal", "--service", "notifier", *again)

    async def is_level() -> bool:
        return await tasks(system, ids) == before

    await eventually(is_level)
    audit = system.handoff("audit", check=False)
    level = await everything(system)
    twice = replay(system, "republish", "--service", "sales-pipeline", *again)
    healed = replay(system, "heal", "--service", "notifier", *again)

    assert total(sent, "sent") == total(twice, "sent") >= LEADS
    assert audit.returncode == 0, audit.stdout
    assert total(healed, "applied") == 0
    assert await everything(system) == level


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("heal --service marketing-intake --since 2026-01-01T00:00:00Z", "--service: "),
        (
            "heal --service notifier --topic handoff.deals.v1 --partition 1 --from 9 --to 3",
            "--from: --from must be at most --to",
        ),
        (
            "heal --service notifier --topic handoff.leads.v1 --partition 1 --from 0 --to 99999",
            "partition 1 of handoff.leads.v1",
        ),
        (f"republish --service notifier --lead {new_id()}", "--lead: notifier has sent nothing"),
    ],
)
def test_wrong_use_ends_with_2_and_names_the_option(system: System, words: str, said: str) -> None:
    done = system.handoff("replay", *words.split(), check=False)

    assert done.returncode == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())


async def test_ctrl_c_leaves_the_order_to_the_worker_and_says_how_to_look(
    system: System, leads: tuple[list[UUID], datetime]
) -> None:
    words = ["heal", "--service", "notifier", "--since", leads[1].isoformat()]
    (worker,) = system.pids("notifier", "worker")
    os.kill(worker, signal.SIGSTOP)  # so that the order is not done before anybody can leave it
    try:
        command = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "handoff", "replay", *words, env=system.environment, stderr=PIPE
        )
        assert command.stderr is not None
        order_id = (await command.stderr.readline()).split()[-1].rstrip(b".").decode()
        command.send_signal(signal.SIGINT)
        _, told = await command.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):  # the supervisor may have replaced it
            os.kill(worker, signal.SIGCONT)

    async def is_done() -> bool:
        show = ("show", order_id, "--service", "notifier")
        return (await asyncio.to_thread(replay, system, *show))["state"] == "done"

    await eventually(is_done)
    assert command.returncode == 1
    assert f"handoff replay show {order_id} --service notifier" in told.decode()
