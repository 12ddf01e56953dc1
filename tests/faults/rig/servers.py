"""A PostgreSQL server of a scenario's own, to be ended at once and started again.

The run's server serves all tests, so nobody may restart that one.
"""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from tests.faults.rig.code import ROOT
from tests.stack import running
from tests.stack.running import Stack

from handoff.embedded.databases import make_databases
from handoff.embedded.machine import find_postgres, unprivileged_account
from handoff.embedded.ports import Ports
from handoff.embedded.postgres import PostgresServer
from handoff.embedded.stack import READY_WITHIN, postgres_home
from handoff.layout import Layout
from handoff.services import DATABASES
from handoff.supervisor.process import Process
from handoff.supervisor.supervisor import Supervisor

_ANY_PORT = 25_000
_ASK_EVERY = 0.02


@dataclass(frozen=True, slots=True)
class Server:
    """A server with its keeper; `stack` is what a rig on it is made of."""

    stack: Stack
    postgres: PostgresServer
    process: Process

    async def restart_at_once(self) -> None:
        """End it without a checkpoint, as an "immediate" stop does; return when it is back."""
        before = self.process.pid
        if before is not None:
            os.kill(before, signal.SIGQUIT)
        async with asyncio.timeout(READY_WITHIN):
            while self.process.pid in (before, None) or not await self.postgres.is_ready():
                await asyncio.sleep(_ASK_EVERY)


@asynccontextmanager
async def own_postgres(stack: Stack) -> AsyncGenerator[Server]:
    """Run a server for the block, with the product's settings (`fsync` and all) and roles."""
    directory = running.make_directory()
    layout, account = Layout(root=ROOT, run=directory), unprivileged_account()
    postgres = PostgresServer(
        programs=find_postgres(os.environ),
        settings=layout.postgres_settings,
        data=postgres_home(directory, account) / "data",
        port=_port(layout),
        password=stack.passwords["postgres"],
        account=account,
        durable=False,
    )
    await asyncio.to_thread(postgres.prepare)
    supervisor = Supervisor(layout.logs)
    try:
        await supervisor.start([postgres.spec(os.environ)], limit=READY_WITHIN)
        await make_databases(postgres.url, DATABASES, stack.passwords)
        own = replace(stack, postgres_url=postgres.url, directory=directory)
        yield Server(own, postgres, supervisor.processes[0])
    finally:
        await supervisor.stop()
        await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)


def _port(layout: Layout) -> int:
    running.scatter_ports(layout.ports)
    return Ports(layout.ports).claim("postgres", _ANY_PORT)
