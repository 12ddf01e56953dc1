"""What fault tests share: rigs of their own, and the figures that they leave."""

import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from tests.faults import figures
from tests.faults.rig.code import Code
from tests.faults.rig.rig import Rig, rigged
from tests.stack.running import Stack

from shared.settings import KafkaSettings

MakeRig = Callable[..., Awaitable[Rig]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest: all the rest runs beside it."""
    items.sort(key=lambda item: item.path.stem != "test_storm")


@pytest.fixture
def seed() -> int:
    """Give the seed of what is left to chance; it is printed, so that a failure can be repeated."""
    seed = int(os.environ.get("HANDOFF_SEED", "1"))
    print(f"HANDOFF_SEED={seed}")
    return seed


@pytest.fixture
async def make_rig(
    stack: Stack,
    tmp_path_factory: pytest.TempPathFactory,
    record_property: Callable[[str, object], None],
) -> AsyncGenerator[MakeRig]:
    """Give what makes a rig of some services, on some code; it ends with the test."""
    made: list[Rig] = []
    async with AsyncExitStack() as rigs:

        async def make(
            *services: str,
            code: Code | None = None,
            kafka: KafkaSettings | None = None,
            migrated: bool = True,
        ) -> Rig:
            logs = tmp_path_factory.mktemp("rig")
            rig = rigged(stack, logs, services, code, kafka, migrated=migrated)
            made.append(await rigs.enter_async_context(rig))
            return made[-1]

        yield make
        record_property(figures.KILLS, sum(rig.kills for rig in made))
