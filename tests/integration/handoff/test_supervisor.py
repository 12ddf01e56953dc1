"""Programs are kept running, in order, and never outlive whoever keeps them."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from handoff.supervisor.process import NotReady
from handoff.supervisor.spec import Spec, at_once
from handoff.supervisor.supervisor import JobFailed, Supervisor

_SLEEPS = "import time; time.sleep(600)"


def program(
    name: str, code: str, *, ready: Callable[[], Awaitable[bool]] = at_once, grace: float = 10
) -> Spec:
    command = (sys.executable, "-I", "-S", "-c", code)
    return Spec(name=name, command=command, environment=os.environ, ready=ready, grace=grace)


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncGenerator[Supervisor]:
    made = Supervisor(tmp_path / "logs")
    yield made
    await made.stop()


async def until(condition: Callable[[], bool], limit: float = 5.0) -> float:
    began = time.monotonic()
    async with asyncio.timeout(limit):
        while not condition():
            await asyncio.sleep(0.01)
    return time.monotonic() - began


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_a_killed_program_runs_again_within_a_second_and_is_counted(
    supervisor: Supervisor,
) -> None:
    await supervisor.start([program("sleeper", _SLEEPS)], limit=5)
    [process] = supervisor.processes
    first = process.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)

    took = await until(lambda: process.pid not in {None, first})

    assert took < 1.0
    assert process.restarts == 1


async def test_what_dies_at_every_start_is_given_up_with_the_end_of_its_log(
    supervisor: Supervisor,
) -> None:
    async def never() -> bool:
        return False

    broken = program("broken", "raise SystemExit('no such table')", ready=never)

    with pytest.raises(NotReady, match=r"broken dies as soon as it is started(?s:.*)no such table"):
        await supervisor.start([broken], limit=30)


async def test_a_program_that_is_not_there_is_named(supervisor: Supervisor) -> None:
    absent = Spec(name="absent", command=("/nowhere/program",), environment={})

    with pytest.raises(NotReady, match="absent could not be started"):
        await supervisor.start([absent], limit=30)


async def test_what_does_not_become_ready_in_time_is_named(supervisor: Supervisor) -> None:
    async def never() -> bool:
        return False

    with pytest.raises(NotReady, match="slow was not ready within 0 s"):
        await supervisor.start([program("slow", _SLEEPS, ready=never)], limit=0.3)


async def test_stages_stop_in_reverse_order(supervisor: Supervisor, tmp_path: Path) -> None:
    record = tmp_path / "record"
    code = (
        "import signal, sys, time, pathlib\n"
        "def end(*_):\n"
        f"    open({str(record)!r}, 'a').write({{name!r}} + ' ')\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        f"pathlib.Path({str(tmp_path)!r}, {{name!r}}).touch()\n"
        "time.sleep(600)\n"
    )

    async def is_up(name: str) -> bool:
        return (tmp_path / name).exists()

    for name in ("first", "second", "third"):
        spec = program(name, code.format(name=name), ready=lambda name=name: is_up(name))
        await supervisor.start([spec], limit=5)
    await supervisor.stop()

    assert record.read_text().split() == ["third", "second", "first"]


async def test_what_is_dropped_ends_and_all_else_goes_on(supervisor: Supervisor) -> None:
    await supervisor.start([program(name, _SLEEPS) for name in ("one", "two", "three")], limit=5)
    pids = {process.spec.name: process.pid for process in supervisor.processes}
    await supervisor.drop({"two"})

    dropped = pids.pop("two")
    assert dropped is not None
    assert is_gone(dropped)
    assert {process.spec.name: process.pid for process in supervisor.processes} == pids


async def test_what_ignores_the_request_is_ended_with_its_own_children(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    child = tmp_path / "child"
    code = (
        "import signal, subprocess, sys, time, pathlib\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"child = subprocess.Popen([sys.executable, '-c', {_SLEEPS!r}])\n"
        f"pathlib.Path({str(child)!r}).write_text(str(child.pid))\n"
        "time.sleep(600)\n"
    )

    async def has_child() -> bool:
        return child.exists() and bool(child.read_text())

    await supervisor.start([program("stubborn", code, ready=has_child, grace=0.3)], limit=5)
    pid = supervisor.processes[0].pid
    assert pid is not None
    await supervisor.stop()

    assert is_gone(pid)
    await until(lambda: is_gone(int(child.read_text())))


async def test_a_killed_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    code = (
        "import asyncio, os, sys, pathlib\n"
        "from handoff.supervisor.spec import Spec\n"
        "from handoff.supervisor.supervisor import Supervisor\n"
        "async def main():\n"
        f"    kept = Supervisor(pathlib.Path({str(tmp_path)!r}))\n"
        f"    command = (sys.executable, '-c', {_SLEEPS!r})\n"
        "    await kept.start([Spec('sleeper', command, os.environ)], limit=5)\n"
        "    print(kept.processes[0].pid, flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen(  # noqa: ASYNC220, S603  it prints one line, which is waited for
        [sys.executable, "-c", code], stdout=subprocess.PIPE
    ) as keeper:
        assert keeper.stdout is not None
        kept = int(keeper.stdout.readline())
        was_alive = not is_gone(kept)
        keeper.kill()

    assert was_alive
    await until(lambda: is_gone(kept))


async def test_a_job_that_fails_says_so_with_the_end_of_its_log(supervisor: Supervisor) -> None:
    job = program("migrate", "raise SystemExit('column exists')")

    with pytest.raises(JobFailed, match=r"migrate ended with 1(?s:.*)column exists"):
        await supervisor.run([job], limit=5)


async def test_a_job_that_takes_too_long_is_ended(supervisor: Supervisor, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = f"import os; open({str(pid_file)!r}, 'w').write(str(os.getpid())); {_SLEEPS}"

    with pytest.raises(JobFailed, match="took more than"):
        await supervisor.run([program("endless", code)], limit=1)
    assert is_gone(int(pid_file.read_text()))


async def test_a_stop_in_the_midst_of_a_start_leaves_nothing(
    supervisor: Supervisor,
) -> None:
    async def never() -> bool:
        return False

    starting = asyncio.create_task(
        supervisor.start([program("slow", _SLEEPS, ready=never)], limit=60)
    )
    await until(lambda: bool(supervisor.processes) and supervisor.processes[0].pid is not None)
    pid = supervisor.processes[0].pid
    assert pid is not None
    starting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await starting
    await supervisor.stop()

    assert is_gone(pid)
