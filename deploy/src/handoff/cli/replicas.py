"""How many processes of a service are wanted: as people write it, and as the supervisor is told.

The file says what is wanted; the signal says that it changed.
"""

import json
import signal
from collections.abc import Mapping, Sequence

import typer

from handoff.layout import Layout
from handoff.services import SERVICES

SCALE = signal.SIGUSR1
"""Asks the supervisor to read what is wanted."""
_MOST = 16


def parse_replicas(words: Sequence[str]) -> dict[str, int]:
    """Read `SERVICE=N` words, or `N` for all services; a later one wins.

    Raises:
        typer.BadParameter: a word is not that, or there is no such service.
    """
    known = [service.name for service in SERVICES]
    wanted: dict[str, int] = {}
    for word in words:
        name, of_one, number = word.rpartition("=")
        if of_one and name not in known:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(known)}")
        if not number.isdecimal() or not 1 <= int(number) <= _MOST:
            raise typer.BadParameter(
                f"{word!r}: SERVICE=N, or N for all, with a number from 1 to {_MOST}"
            )
        wanted |= dict.fromkeys([name] if of_one else known, int(number))
    return wanted


def write_replicas(layout: Layout, wanted: Mapping[str, int]) -> None:
    """Write down, in one step, how many of each service are wanted."""
    unfinished = layout.replicas.with_name(f"{layout.replicas.name}.new")
    unfinished.write_text(json.dumps(wanted, indent=2) + "\n")
    unfinished.replace(layout.replicas)


def ask_replicas(layout: Layout) -> dict[str, int]:
    """Return how many of each service are wanted."""
    return json.loads(layout.replicas.read_text())
