"""`handoff up`: start everything on this machine and stay with it."""

import asyncio
import os
import signal
from collections.abc import Mapping
from typing import Annotated

import typer

from handoff.cli.detach import detach
from handoff.cli.places import this_layout
from handoff.cli.progress import err, out, step
from handoff.embedded.machine import Missing
from handoff.embedded.ports import PortsInUse
from handoff.embedded.tool import ToolFailed
from handoff.layout import Layout
from handoff.lock import AlreadyRunning, hold
from handoff.seed import seed
from handoff.services import SERVICES
from handoff.state import SystemState
from handoff.supervisor.process import NotReady
from handoff.supervisor.supervisor import JobFailed
from handoff.system import System, plan_system

_EXPECTED = (AlreadyRunning, Missing, PortsInUse, ToolFailed, NotReady, JobFailed)
_MOST_REPLICAS = 16


def up(
    *,
    detached: Annotated[
        bool,
        typer.Option("--detach", "-d", help="Return when all is ready; `handoff down` stops it."),
    ] = False,
    replicas: Annotated[
        list[str] | None,
        typer.Option(metavar="SERVICE=N", help="Run N api and N worker processes of a service."),
    ] = None,
) -> None:
    """Start Postgres, Kafka and the services on this machine; Ctrl-C stops them.

    Example: handoff up --replicas lead-scoring=2
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


def parse_replicas(words: list[str]) -> dict[str, int]:
    """Read `SERVICE=N` words.

    Raises:
        typer.BadParameter: a word is not that, or there is no such service.
    """
    known = [service.name for service in SERVICES]
    wanted: dict[str, int] = {}
    for word in words:
        name, _, number = word.partition("=")
        if name not in known:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(known)}")
        if not number.isdecimal() or not 1 <= int(number) <= _MOST_REPLICAS:
            raise typer.BadParameter(f"{word!r}: a number from 1 to {_MOST_REPLICAS} is needed")
        wanted[name] = int(number)
    return wanted


async def _run(layout: Layout, replicas: Mapping[str, int]) -> bool:
    """Be the supervisor until a signal comes; tell whether everything ever was up."""
    stop = _stop_signals()
    with step("Finding Postgres, Java and Kafka's jars"):
        fleet = await asyncio.to_thread(plan_system, layout, os.environ, replicas)
    system = System(layout, fleet, os.environ, restarted=_tell_restart)
    try:
        came_up = await _begin(system, stop)
        await stop.wait()
    finally:
        with step("Stopping"):
            await system.end()
    return came_up


async def _begin(system: System, stop: asyncio.Event) -> bool:
    """Bring all of it up, unless it is to stop before; tell whether it is up."""
    coming_up = asyncio.create_task(_come_up(system))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((coming_up, stopping), return_when=asyncio.FIRST_COMPLETED)
    if not coming_up.done():
        coming_up.cancel()
        await asyncio.wait((coming_up,))
        return False
    stopping.cancel()
    await coming_up
    return True


async def _come_up(system: System) -> None:
    await system.begin(step)
    state = system.state()
    hints = await seed(state)
    out.print(where_it_is(state))
    out.print(hints, markup=False)
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


def _stop_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
