"""Starts `handoff up` in a session of its own and shows what it says until all is ready."""

import os
import subprocess
import sys
import time
from pathlib import Path

import typer

from handoff.cli.progress import out
from handoff.layout import Layout
from handoff.lock import AlreadyRunning, find_holder
from handoff.state import read_state
from handoff.supervisor.logs import open_log

_LOOK_EVERY = 0.1


def detach(layout: Layout, replicas: list[str]) -> None:
    """Start it and return once it is ready.

    Raises:
        AlreadyRunning: one runs here already.
        typer.Exit: it did not come up; why has been shown.
    """
    holder = find_holder(layout.lock)
    if holder is not None:
        raise AlreadyRunning(
            f"Handoff is running already (process {holder.pid}): `handoff status` shows it."
        )
    log = layout.logs / "handoff.log"
    child = _start(log, [f"--replicas={word}" for word in replicas])
    if not _follow(layout, log, child):
        raise typer.Exit(1)


def _start(log: Path, options: list[str]) -> "subprocess.Popen[bytes]":
    log.unlink(missing_ok=True)
    descriptor = open_log(log)
    try:
        return subprocess.Popen(  # noqa: S603  ourselves
            [sys.executable, "-m", "handoff", "up", *options],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)


def _follow(layout: Layout, log: Path, child: "subprocess.Popen[bytes]") -> bool:
    """Copy its log to our output until it is ready or gone; tell which."""
    with log.open(errors="replace") as said:
        while True:
            gone = child.poll() is not None
            state = read_state(layout)
            ready = state is not None and state.state == "running"
            out.print(said.read(), end="", markup=False)
            if gone or ready:
                return ready and not gone
            time.sleep(_LOOK_EVERY)
