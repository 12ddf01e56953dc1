"""The four APIs that are attacked: each a process, started when the first test asks for it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.hostile.documents import SERVICES
from tests.hostile.served import Served, serving
from tests.hostile.targets import Target, started
from tests.stack.running import Stack
from xdist.scheduler import LoadScopeScheduling

TargetOf = Callable[[str], Awaitable[Target]]


class ByService(LoadScopeScheduling):
    """Gives all tests that attack one service to one worker; the others go by their file."""

    def _split_scope(self, nodeid: str) -> str:
        attacked = (service for service in SERVICES if f"[{service}" in nodeid)
        return next(attacked, nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByService:
    """Let each service be started once."""
    return ByService(config, log)


@pytest.fixture(scope="session")
async def target_of(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[TargetOf]:
    """Give the API of a service, by the service's name."""
    directory = tmp_path_factory.mktemp("targets")
    targets: dict[str, Target] = {}
    async with AsyncExitStack() as processes:

        async def target_of(name: str) -> Target:
            if name not in targets:
                target = started(stack, name, directory)
                targets[name] = await processes.enter_async_context(target)
            return targets[name]

        yield target_of


@pytest.fixture(scope="module", params=SERVICES)
async def service(stack: Stack, request: pytest.FixtureRequest) -> AsyncGenerator[Served]:
    """Each service in turn, served in this process, where a test can make keys of its own."""
    async with serving(stack, request.param) as served:
        yield served
