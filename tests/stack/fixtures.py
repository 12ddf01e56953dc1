"""The fixtures that need the real thing: Postgres, Kafka, a service's database, topics.

The first test of a run that asks starts the stack; the controller ends it with the run.
Databases and topics are a module's own; tests of one module share them.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.stack import databases, running
from tests.stack.engine import chosen
from tests.stack.nodes import Node, some_nodes
from tests.stack.running import Stack
from tests.stack.topics import drop

from shared.kafka import topics
from shared.settings import KafkaSettings

DatabaseFor = Callable[[str], Awaitable[str]]
_DIRECTORY = pytest.StashKey[Path]()
_CONTROLLER = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Give the run a directory; xdist's workers are told which it is."""
    told: dict[str, Any] | None = getattr(config, "workerinput", None)
    config.stash[_DIRECTORY] = Path(told["stack_directory"]) if told else running.make_directory()
    config.stash[_CONTROLLER] = told["stack_controller"] if told else os.getpid()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist where this run's stack is."""
    node.workerinput["stack_directory"] = str(node.config.stash[_DIRECTORY])
    node.workerinput["stack_controller"] = node.config.stash[_CONTROLLER]


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the stack with the run."""
    if not hasattr(config, "workerinput") and _DIRECTORY in config.stash:
        running.leave(config.stash[_DIRECTORY])


def pytest_report_header() -> str:
    """Say which Postgres and Kafka the tests meet."""
    return f"stack: {chosen()}, started if a test asks for it"


@pytest.fixture(scope="session")
def stack(pytestconfig: pytest.Config) -> Stack:
    """One Postgres and one Kafka for the whole run."""
    return running.join(pytestconfig.stash[_DIRECTORY], pytestconfig.stash[_CONTROLLER])


@pytest.fixture(scope="module")
async def database_for(stack: Stack) -> AsyncGenerator[DatabaseFor]:
    """Give what makes fresh, migrated databases; a service is named by its package."""
    made: list[str] = []

    async def make(service: str) -> str:
        made.append(await databases.make_copy(stack, service))
        return made[-1]

    yield make
    await asyncio.gather(*(databases.drop(stack, url) for url in made))


@pytest.fixture(scope="module")
async def engine(database_url: str) -> AsyncGenerator[AsyncEngine]:
    """The module's own database as a worker uses it; which one, a `database_url` beside it says."""
    async with databases.opened(database_url) as engine:
        yield engine


@pytest.fixture(scope="module")
async def own(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Node]:
    """Kafka of the module's own, one node, which may be frozen and killed."""
    async with some_nodes(tmp_path_factory.mktemp("kafka"), 1) as nodes:
        yield nodes.first


@pytest.fixture(scope="module")
def topic_prefix() -> str:
    """What this module's topics begin with."""
    return f"t{secrets.token_hex(4)}."


@pytest.fixture(scope="module")
async def kafka_settings(stack: Stack, topic_prefix: str) -> AsyncGenerator[KafkaSettings]:
    """Where Kafka is, with all topics of the catalogue made under this module's prefix."""
    settings = stack.kafka(topic_prefix)
    await topics.apply(settings)
    yield settings
    await drop(settings)
