"""Finds the running system for a command, or ends the command with what to do."""

import os

import typer

from handoff.cli.progress import err
from handoff.layout import Layout, find_layout
from handoff.state import SystemState, read_state


def this_layout() -> Layout:
    """Return the installation that this command belongs to."""
    return find_layout(os.environ)


def running_system() -> SystemState:
    """Return what is running; where nothing is, say so and end with 1."""
    state = read_state(this_layout())
    if state is None:
        err.print("Handoff is not running here. `handoff up` starts it.")
        raise typer.Exit(1)
    return state
