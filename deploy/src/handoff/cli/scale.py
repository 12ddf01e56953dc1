"""`handoff scale`: run more or fewer processes of a service, while all of it runs."""

import asyncio
import time
from collections.abc import Mapping
from typing import Annotated

import typer

from handoff.cli.places import running_system, this_layout
from handoff.cli.progress import err, out, step
from handoff.cli.replicas import SCALE, parse_replicas, write_replicas
from handoff.embedded.stack import READY_WITHIN
from handoff.layout import Layout
from handoff.lock import find_holder
from handoff.readiness import has_come_up
from handoff.services import ROLES
from handoff.state import SystemState, read_state

_LOOK_EVERY = 0.2


def scale(
    wanted: Annotated[
        list[str],
        typer.Argument(
            metavar="[SERVICE=]N...", help="N api and N worker processes of a service, or of all."
        ),
    ],
) -> None:
    """Change how many processes of a service run; no request fails, and each lead keeps its order.

    Until the next `handoff up`. A worker that goes is waited for by Kafka for
    HANDOFF_SESSION_SECONDS, then the others have its leads.

    Example: handoff scale lead-scoring=3
    """
    asked = parse_replicas(wanted)
    layout, state = this_layout(), running_system()
    supervisor = find_holder(layout.lock)
    if state.state != "running" or supervisor is None:
        err.print(f"Handoff is {state.state}: scale it when `handoff status` says that it runs.")
        raise typer.Exit(1)
    wanted_of_all = _now(state) | asked
    write_replicas(layout, wanted_of_all)
    with step("Scaling"):
        supervisor.send_signal(SCALE)
        asyncio.run(_until_so(layout, wanted_of_all))
    out.print(", ".join(f"{name}: {number}" for name, number in asked.items()))


def _now(state: SystemState) -> dict[str, int]:
    return {
        name: sum(process.role == ROLES[0] for process in service.processes)
        for name, service in state.services.items()
    }


async def _until_so(layout: Layout, wanted: Mapping[str, int]) -> None:
    """Wait until so many run, and all of them have come up."""
    end = time.monotonic() + READY_WITHIN
    while time.monotonic() < end:
        state = read_state(layout)
        if state is not None and _now(state) == wanted and await _have_come_up(state):
            return
        await asyncio.sleep(_LOOK_EVERY)
    err.print(f"Not all have come up after {READY_WITHIN:.0f} s: `handoff status` says why.")
    raise typer.Exit(1)


async def _have_come_up(state: SystemState) -> bool:
    processes = [process for service in state.services.values() for process in service.processes]
    answers = await asyncio.gather(*(has_come_up(process.operations_url) for process in processes))
    return all(answers)
