"""Finds the running system for a command, or ends the command with what to do."""

import os
from collections.abc import Mapping

import typer

from handoff.cli.progress import err
from handoff.layout import Layout, find_layout
from handoff.site import DATABASE, is_elsewhere
from handoff.state import SystemState, read_state

_HERE = "Handoff is not running here. `handoff up` starts it."
_ELSEWHERE = (
    "This command knows only what `handoff up` started on this machine, and that is nothing.\n"
    f"`handoff doctor` looks into the installation that {DATABASE}_<SERVICE> names;\n"
    "which processes it has, `kubectl get pods` or `docker compose ps` tells."
)


def this_layout() -> Layout:
    """Return the installation that this command belongs to."""
    return find_layout(os.environ)


def running_system() -> SystemState:
    """Return what is running; where nothing is, say so and end with 1."""
    state = read_state(this_layout())
    if state is None:
        err.print(nothing_runs(os.environ), markup=False)
        raise typer.Exit(1)
    return state


def nothing_runs(environ: Mapping[str, str]) -> str:
    """Return what to say where nothing was started, also to who looks for what runs elsewhere."""
    return _ELSEWHERE if is_elsewhere(environ) else _HERE
