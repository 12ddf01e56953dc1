"""The process that runs one Postgres and one Kafka for a whole run of the tests.

`python -m tests.stack.keeper DIRECTORY CONTROLLER_PID`: it writes `stack.json` when both are up,
and ends with the run: when `stop` appears in the directory, or the controller is gone.
It is a process of its own, because none of xdist's workers lives as long as the run.
"""

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
from tests.stack import running
from tests.stack.containers import containers
from tests.stack.engine import Stack, chosen

from handoff.embedded.databases import OPERATIONS, make_databases
from handoff.embedded.ports import Ports
from handoff.embedded.stack import READY_WITHIN, plan_stack
from handoff.layout import Layout
from handoff.secret_file import keep_secrets
from handoff.services import DATABASES
from handoff.supervisor.supervisor import Supervisor

_ROOT = Path(__file__).resolve().parents[2]
_ASK_EVERY = 0.1


async def keep(directory: Path, controller: psutil.Process) -> None:
    """Run the stack until the tests are over."""
    layout = Layout(root=_ROOT, run=directory)
    passwords = keep_secrets(layout.secrets, ("postgres", OPERATIONS, *DATABASES))
    running.scatter_ports(layout.ports)
    run = _in_containers if chosen() is Stack.CONTAINERS else _embedded
    async with run(layout, passwords) as (postgres_url, kafka_bootstrap):
        await make_databases(postgres_url, DATABASES, passwords)
        answer = {"postgres_url": postgres_url, "kafka_bootstrap": kafka_bootstrap}
        _publish(directory / "stack.json", json.dumps(answer | {"passwords": passwords}))
        await asyncio.to_thread(_wait_for_the_end, directory, controller)


@asynccontextmanager
async def _embedded(layout: Layout, passwords: dict[str, str]) -> AsyncGenerator[tuple[str, str]]:
    ports = Ports(layout.ports)
    stack = plan_stack(
        layout, os.environ, ports=ports, password=passwords["postgres"], durable=False
    )
    await stack.prepare()
    supervisor = Supervisor(layout.logs)
    try:
        await supervisor.start(stack.specs(os.environ), limit=READY_WITHIN)
        yield stack.postgres.url, stack.kafka.bootstrap
    finally:
        await supervisor.stop()


@asynccontextmanager
async def _in_containers(
    layout: Layout, passwords: dict[str, str]
) -> AsyncGenerator[tuple[str, str]]:
    async with containers(Ports(layout.ports), passwords["postgres"]) as addresses:
        yield addresses


def _wait_for_the_end(directory: Path, controller: psutil.Process) -> None:
    while controller.is_running() and not (directory / "stop").exists():
        time.sleep(_ASK_EVERY)


def _publish(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(text)
    unfinished.replace(path)


def main(directory: Path, controller: psutil.Process) -> None:
    """Keep the stack, and tidy up in place of a controller that was killed."""
    try:
        asyncio.run(keep(directory, controller))
    finally:
        if not controller.is_running():
            shutil.rmtree(directory)


if __name__ == "__main__":
    main(Path(sys.argv[1]), psutil.Process(int(sys.argv[2])))
