"""How the tests tell a service's process what it needs, and run it."""

import os
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.stack.ports import free_port
from tests.stack.process import Process

from shared.settings import KafkaSettings

NO_KAFKA = KafkaSettings(kafka_bootstrap="127.0.0.1:1", kafka_replication=1)
ERASURE_SECRET = "only-for-tests-" + "0" * 32


def environment(url: str, kafka: KafkaSettings, instance: str, **settings: str) -> dict[str, str]:
    """Return what a service's process is told; settings as in `crash_at="..."`."""
    told = {
        "database_url": url,
        "kafka_bootstrap": kafka.kafka_bootstrap,
        "kafka_replication": str(kafka.kafka_replication),
        "topic_prefix": kafka.topic_prefix,
        "instance": instance,
        "erasure_secret": ERASURE_SECRET,
        **settings,
    }
    return {**os.environ, **{f"HANDOFF_{name.upper()}": value for name, value in told.items()}}


def service(
    told: Mapping[str, str],
    log: Path,
    *words: str,
    kept: bool = False,
    python: str = sys.executable,
) -> Process:
    """Return a process of a service, on ports of its own, not started; its name is its instance.

    `words`: the program, such as `notifier.api`, and what it is to be told.
    """
    port, operations = free_port(), free_port()
    ports = {"HANDOFF_HTTP_PORT": str(port), "HANDOFF_OPERATIONS_PORT": str(operations)}
    return Process(
        name=told["HANDOFF_INSTANCE"],
        command=[python, "-m", *words],
        environment={**told, **ports},
        url=f"http://127.0.0.1:{port}",
        operations_url=f"http://127.0.0.1:{operations}",
        log=log,
        kept=kept,
    )


@asynccontextmanager
async def running(process: Process) -> AsyncGenerator[Process]:
    """Run a process for the block, which may kill it for good; else a SIGTERM ends it in order."""
    process.start()
    try:
        await process.alive()
        yield process
        assert process.kills or await process.stop() == 0, process.log.read_text()
    finally:
        await process.die()
