"""Starts one child process so that it can never outlive its supervisor; waits for nothing."""

import asyncio
import ctypes
import os
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Callable
from pathlib import Path

from handoff.supervisor.logs import open_log
from handoff.supervisor.spec import Spec

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _bind_to(supervisor: int, death_signal: int) -> Callable[[], None]:
    """Return what a child runs between fork and exec to die with its supervisor."""

    def bind() -> None:
        if _libc is None:
            return
        _libc.prctl(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != supervisor:
            os._exit(1)  # the supervisor died before the kernel was asked

    return bind


async def spawn(spec: Spec, log: Path) -> Process:
    """Start `spec` in a process group of its own, its output going straight to `log`.

    Must be awaited in the main thread: the kernel ties a child's life to the thread that made it.
    """
    descriptor = open_log(log)
    account = spec.account
    try:
        return await asyncio.create_subprocess_exec(
            *spec.command,
            env=dict(spec.environment),
            cwd=spec.directory,
            stdin=DEVNULL,
            stdout=descriptor,
            stderr=STDOUT,
            pass_fds=spec.inherited,
            process_group=0,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            # After a change of user: that change makes the kernel forget the death signal.
            preexec_fn=_bind_to(os.getpid(), spec.death_signal),
        )
    finally:
        os.close(descriptor)
