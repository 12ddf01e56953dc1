"""A Kafka node of a test's own, to be frozen and killed: the run's own is for everybody."""

import asyncio
import gc
import os
import signal
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.stack import running

from handoff.embedded.jars import ensure_jars
from handoff.embedded.kafka import KafkaNode
from handoff.embedded.machine import find_java
from handoff.embedded.ports import Ports
from handoff.embedded.stack import READY_WITHIN
from handoff.layout import Layout
from handoff.supervisor.process import Process
from handoff.supervisor.supervisor import Supervisor

LEFTOVERS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class OwnKafka:
    """One node; the supervisor starts it again when it dies."""

    node: KafkaNode
    process: Process

    @property
    def bootstrap(self) -> str:
        """Where it is."""
        return self.node.bootstrap

    @contextmanager
    def frozen(self) -> Generator[None]:
        """Let it take connections and answer nothing during a block."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    async def die_and_come_back(self) -> None:
        """Kill it, and wait until the supervisor's next one answers."""
        before = self.process.restarts
        self._signal(signal.SIGKILL)
        async with asyncio.timeout(READY_WITHIN):
            while self.process.restarts == before or not await self.node.is_ready():
                await asyncio.sleep(0.05)

    def _signal(self, number: signal.Signals) -> None:
        if self.process.pid is not None:
            os.kill(self.process.pid, number)


def sweep_up() -> None:
    """Collect what the library leaves of a connection whose end it did not wait for.

    For a test under `LEFTOVERS`, which says that the complaint about it is known.
    """
    gc.collect()


@asynccontextmanager
async def own_kafka(directory: Path) -> AsyncGenerator[OwnKafka]:
    """Run a node during a block."""
    layout = Layout(root=_ROOT, run=directory)
    running.scatter_ports(layout.ports)
    ports = Ports(layout.ports)
    node = KafkaNode(
        java=find_java(os.environ),
        jars=ensure_jars(layout.kafka_pom, os.environ),
        template=layout.kafka_template,
        directory=directory / "kafka",
        port=ports.claim("kafka", 0),
        controller_port=ports.claim("kafka-controller", 0),
    )
    await asyncio.to_thread(node.prepare)
    supervisor = Supervisor(layout.logs)
    try:
        await supervisor.start([node.spec(os.environ)], limit=READY_WITHIN)
        yield OwnKafka(node, supervisor.processes[0])
    finally:
        await supervisor.stop()
