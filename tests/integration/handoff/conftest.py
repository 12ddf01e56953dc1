"""The databases as the commands meet them, a lead in them, and the command as a person runs it."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from tests.integration.handoff.databases import Databases
from tests.integration.handoff.world import World
from tests.stack.fixtures import DatabaseFor
from tests.stack.running import Stack
from tests.stack.topics import drop as forget_topics

from handoff.services import SERVICES
from shared.clock import utc_now
from shared.kafka import topics
from shared.settings import KafkaSettings

_TABLES = (
    "said_stream, outbox, outbox_archive, outbox_held, stream, parked_event, subscription, "
    "parking_order, subject"
)
_OWN_TABLES = {
    "marketing-intake": "lead, identity_key, submission, submission_key",
    "lead-scoring": "lead_score",
    "sales-pipeline": "lead, deal, sales_order",
    "notifier": "task",
}


@pytest.fixture(scope="module")
async def opened(
    stack: Stack, database_for: DatabaseFor, kafka_settings: KafkaSettings
) -> AsyncGenerator[Databases]:
    urls = dict(
        zip(
            [each.name for each in SERVICES],
            [await database_for(each.package) for each in SERVICES],
            strict=True,
        )
    )
    owners = {name: await asyncpg.connect(url, ssl=False) for name, url in urls.items()}
    names = {name: url.rpartition("/")[2] for name, url in urls.items()}
    looking = {name: stack.url("operations", database) for name, database in names.items()}
    yield Databases(owners, urls, looking, kafka_settings)
    await asyncio.gather(*(owner.close() for owner in owners.values()))


@pytest.fixture
async def databases(opened: Databases) -> Databases:
    """Nothing was said or heard yet; every service began to listen yesterday."""
    for name, owner in opened.owners.items():
        await owner.execute(f"TRUNCATE {_TABLES}, {_OWN_TABLES[name]} CASCADE")
        if name != "marketing-intake":
            await opened.begin(name, utc_now() - timedelta(days=1))
    return opened


@pytest.fixture
async def world(databases: Databases) -> World:
    """One lead that went all the way."""
    made = World(databases)
    await made.go_all_the_way()
    return made


@pytest.fixture
async def narrow(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[KafkaSettings]:
    """Topics that were made with three partitions each, and are else as they should be."""
    prefix = f"{databases.kafka.topic_prefix}narrow."
    kafka = databases.kafka.model_copy(update={"topic_prefix": prefix})
    with monkeypatch.context() as patched:
        patched.setattr(topics, "PARTITIONS", 3)
        await topics.apply(kafka)
    yield kafka
    await forget_topics(kafka)


Handoff = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def handoff(databases: Databases) -> Handoff:
    """Runs the command as a person does, with this test's databases in its environment.

    `None` takes a variable away.
    """

    def run(*words: str, **changes: Any) -> "subprocess.CompletedProcess[str]":
        told = {**databases.environment(), **changes}
        return subprocess.run(  # noqa: S603  our own command
            [sys.executable, "-m", "handoff", *words],
            env={name: value for name, value in told.items() if value is not None},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run
