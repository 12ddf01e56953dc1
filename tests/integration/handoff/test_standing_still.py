"""A program that stands still is replaced; one that waits on purpose, or still starts, is not."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from tests.stack.ports import free_port

from handoff.readiness import is_alive
from handoff.supervisor import liveness
from handoff.supervisor.process import Process
from handoff.supervisor.spec import Spec
from handoff.supervisor.supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[3]
SILENCE = 2.0
REPLACED_WITHIN = 20.0


def a_worker(way: str) -> Spec:
    """Return a worker whose loop does so."""
    port = free_port()
    answered = asyncio.Event()

    async def alive() -> bool | None:
        said = await is_alive(f"http://127.0.0.1:{port}")
        if said:
            answered.set()
        return said

    async def ready() -> bool:
        """Say that the start is over once the supervisor's own watch was answered."""
        return answered.is_set()

    module = ("-m", "tests.integration.handoff.a_worker")
    return Spec(
        name=way,
        command=(sys.executable, *module, way, str(port), str(SILENCE)),
        environment={**os.environ, "PYTHONPATH": str(ROOT)},
        ready=ready,
        alive=alive,
        silence=SILENCE,
    )


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncGenerator[Supervisor]:
    made = Supervisor(tmp_path)
    yield made
    await made.stop()


async def started(supervisor: Supervisor, spec: Spec) -> tuple[Process, int]:
    await supervisor.start([spec], limit=30)
    [process] = supervisor.processes
    assert process.pid is not None
    return process, process.pid


async def replaced(process: Process, pid: int) -> None:
    """Wait until another process is in its place."""
    async with asyncio.timeout(REPLACED_WITHIN):
        while process.pid in {None, pid}:
            await asyncio.sleep(0.05)


async def test_a_stopped_process_is_replaced_and_counted(supervisor: Supervisor) -> None:
    process, pid = await started(supervisor, a_worker("turns"))
    os.kill(pid, signal.SIGSTOP)

    await replaced(process, pid)

    assert process.restarts == 1
    assert "gave no good answer" in process.log.read_text()


async def test_a_worker_whose_loop_blocks_the_process_is_replaced(supervisor: Supervisor) -> None:
    process, pid = await started(supervisor, a_worker("blocks"))

    await replaced(process, pid)

    assert "gave no good answer" in process.log.read_text()


async def test_a_worker_with_a_loop_that_neither_turns_nor_is_held_is_replaced(
    supervisor: Supervisor,
) -> None:
    process, pid = await started(supervisor, a_worker("is_silent"))

    await replaced(process, pid)

    assert "said 3 times that it does not work" in process.log.read_text()


@pytest.mark.parametrize("way", ["turns", "is_held"])
async def test_what_works_or_waits_on_purpose_is_left_alone(
    supervisor: Supervisor, way: str
) -> None:
    process, pid = await started(supervisor, a_worker(way))

    await asyncio.sleep(3 * SILENCE)

    assert process.pid == pid
    assert process.restarts == 0


async def test_what_starts_slowly_is_given_its_time() -> None:
    async def not_yet() -> None:
        return None

    slow = Spec("slow", ("true",), {}, alive=not_yet, silence=0.1, start=1.5)
    began = time.monotonic()

    await liveness.until_silent(slow)

    assert time.monotonic() - began >= 1.5
