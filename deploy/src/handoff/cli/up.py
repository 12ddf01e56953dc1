"""`handoff up`: start everything on this machine and stay with it."""

import asyncio
import os
import signal
from collections.abc import Coroutine, Mapping
from typing import Annotated, Any

import typer

from handoff.cli.detach import detach
from handoff.cli.doctor import process_findings
from handoff.cli.places import this_layout
from handoff.cli.progress import err, out, step
from handoff.cli.replicas import SCALE, ask_replicas, parse_replicas
from handoff.embedded.machine import Missing
from handoff.embedded.ports import PortsInUse
from handoff.embedded.tool import ToolFailed
from handoff.layout import Layout
from handoff.lock import AlreadyRunning, hold
from handoff.seed import seed
from handoff.state import SystemState
from handoff.supervisor.process import NotReady
from handoff.supervisor.supervisor import JobFailed
from handoff.system import System, plan_system

_EXPECTED = (AlreadyRunning, Missing, PortsInUse, ToolFailed, NotReady, JobFailed)
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def up(
    *,
    detached: Annotated[
        bool,
        typer.Option("--detach", "-d", help="Return when all is ready; `handoff down` stops it."),
    ] = False,
    replicas: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[SERVICE=]N", help="Run N api and N worker processes of a service, or of all."
        ),
    ] = None,
) -> None:
    """Start Postgres, Kafka and the services on this machine; Ctrl-C stops them.

    `handoff scale` changes it while it runs. Example: handoff up --replicas lead-scoring=2
    """
    wanted = parse_replicas(replicas or [])
    layout = this_layout()
    try:
        if detached:
            detach(layout, replicas or [])
        else:
            with hold(layout.lock):
                came_up = asyncio.run(_run(layout, wanted))
            if not came_up:
                raise typer.Exit(1)
    except _EXPECTED as error:
        err.print(f"[red]✗[/red] {error}", markup=True)
        raise typer.Exit(1) from None


async def _run(layout: Layout, replicas: Mapping[str, int]) -> bool:
    """Be the supervisor until a signal comes; tell whether everything ever was up."""
    stop, scale = _on(*_STOPS), _on(SCALE)
    with step("Finding Postgres, Java and Kafka's jars"):
        fleet = await asyncio.to_thread(plan_system, layout, os.environ, replicas)
    system = System(layout, fleet, os.environ, restarted=_tell_restart)
    try:
        came_up = await _unless_stopped(_come_up(system), stop)
        while await _unless_stopped(scale.wait(), stop):
            scale.clear()
            await _unless_stopped(_scale(system, layout), stop)
    finally:
        with step("Stopping"):
            await system.end()
    return came_up


async def _unless_stopped(work: Coroutine[Any, Any, object], stop: asyncio.Event) -> bool:
    """Do the work to its end, unless all is to stop before; tell whether it was done."""
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    if not working.done():
        working.cancel()
        await asyncio.wait((working,))
        return False
    stopping.cancel()
    await working
    return True


async def _scale(system: System, layout: Layout) -> None:
    """Run as many as `handoff scale` wrote down; what does not come up is told, and kept trying."""
    try:
        await system.scale(ask_replicas(layout))
    except NotReady as error:
        err.print(f"[red]✗[/red] {error}", markup=True)


async def _come_up(system: System) -> None:
    await system.begin(step)
    state = system.state()
    hints = await seed(state)
    out.print(where_it_is(state))
    out.print(hints, markup=False)
    for finding in await process_findings(state):
        if not finding.fine:
            err.print(f"✗ {finding.text}; see docs/operating.md, What runs", markup=False)
    system.mark_running()


def where_it_is(state: SystemState) -> str:
    """Return the addresses as text."""
    lines = ["", "[bold]Handoff is up.[/bold]"]
    lines += [f"  {name:<18}{service.url}/docs" for name, service in state.services.items()]
    lines += [f"  {'Kafka':<18}{state.kafka.bootstrap}"]
    lines += ["", "`handoff status` shows the processes; Ctrl-C or `handoff down` stops them."]
    return "\n".join(lines)


def _tell_restart(name: str) -> None:
    err.print(f"{name} died or stood still, and was started again")


def _on(*numbers: signal.Signals) -> asyncio.Event:
    """Return the event that these signals set."""
    told = asyncio.Event()
    for number in numbers:
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told
