"""`handoff bench`: how fast Handoff is on this machine, with an installation of its own."""

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from handoff.bench.benchmark import PARTS, Plan, measure
from handoff.bench.client import BadAnswers
from handoff.bench.figures import shown
from handoff.bench.installation import USUAL_PLACE, Died, Unfit
from handoff.bench.report import DISTURBED, Report
from handoff.cli.answers import EXPECTED
from handoff.cli.places import this_layout
from handoff.cli.progress import err, out, show
from handoff.embedded.machine import Missing
from handoff.embedded.ports import PortsInUse
from handoff.embedded.tool import ToolFailed
from handoff.layout import Layout
from handoff.supervisor.process import NotReady
from handoff.supervisor.supervisor import JobFailed

_EXPECTED = (
    BadAnswers, Died, Unfit, Missing, PortsInUse, ToolFailed, NotReady, JobFailed,
    httpx.HTTPError, *EXPECTED,
)  # fmt: skip
_BY_SIGNAL = 130
_MARKS = {
    "aim": "[green]✓✓[/green]",
    "goal": "[green]✓[/green]",
    "half": "[yellow]✗[/yellow]",
    "missed": "[red]✗[/red]",
    None: "",
}


class Display:
    """Shows how far the run is: a bar on a terminal, a line a sample elsewhere."""

    def __init__(self, progress: Progress, samples: int) -> None:
        """Begin with no sample taken."""
        self._progress = progress
        self._task = progress.add_task("starting", total=samples)

    def doing(self, what: str) -> None:
        """Show what is measured now."""
        self._progress.update(self._task, description=what)
        if self._progress.disable:
            err.print(f"{what} ...")

    def done(self) -> None:
        """Count a sample."""
        self._progress.advance(self._task)


def bench(
    *,
    only: Annotated[
        list[str] | None, typer.Option(metavar="PART", help=f"One of {', '.join(PARTS)}; again.")
    ] = None,
    rounds: Annotated[
        int, typer.Option(min=1, max=100, help="How often each figure is measured.")
    ] = 5,
    seconds: Annotated[
        float, typer.Option(min=0.2, max=60, help="How long a sample takes.")
    ] = 4.0,
    patience: Annotated[
        float,
        typer.Option(
            min=0, max=600, help="Seconds to wait, before each sample, for a quiet machine."
        ),
    ] = 20.0,
    place: Annotated[
        Path,
        typer.Option(
            "--dir", metavar="DIR", exists=True, file_okay=False,
            help="The disk to measure: a directory in which one is made, and removed.",
        ),
    ] = USUAL_PLACE,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", dir_okay=False, help="Write it for programs, too."),
    ] = None,
) -> None:  # fmt: skip
    """Measure how fast Handoff is on this machine, beside floors: about a quarter of an hour.

    Starts a Postgres, a Kafka and services of its own, and leaves nothing of them behind; what
    runs here otherwise is not touched, but takes part of the processors.

    Example: handoff bench --only accept --rounds 3 --json bench.json
    """
    parts = read_parts(only or [])
    command = shlex.join(["handoff", *sys.argv[1:]])
    plan = Plan(command, parts, rounds, seconds, patience, place)
    report = _run(plan, this_layout())
    _show(report)
    if json_file is not None:
        json_file.write_text(report.model_dump_json(indent=2) + "\n")


def read_parts(words: list[str]) -> list[str]:
    """Return the parts that are wanted, in their order; all where none is named.

    Raises:
        typer.BadParameter: a word is none of them.
    """
    for word in words:
        if word not in PARTS:
            raise typer.BadParameter(f"{word!r} is none of {', '.join(PARTS)}")
    return [part for part in PARTS if part in words or not words]


def _run(plan: Plan, layout: Layout) -> Report:
    try:
        return asyncio.run(_measure(plan, layout))
    except asyncio.CancelledError:
        err.print("Stopped; nothing is left of it.")
        raise typer.Exit(_BY_SIGNAL) from None
    except _EXPECTED as error:
        err.print(f"✗ {error or type(error).__name__}", markup=False)
        raise typer.Exit(1) from None


async def _measure(plan: Plan, layout: Layout) -> Report:
    _cancel_on_signals()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=err, disable=not err.is_terminal, transient=True
    ) as progress:
        display = Display(progress, plan.samples)
        return await measure(plan, layout.root, os.environ, display)


def _cancel_on_signals() -> None:
    """Let the first signal end the run in order; the next ones must not cut that short."""
    loop, run = asyncio.get_running_loop(), asyncio.current_task()
    assert run is not None  # noqa: S101  this is called by one

    def once(cancel: Callable[[], object]) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, lambda: None)
        err.print("Stopping ...")
        cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, once, run.cancel)


def _show(report: Report) -> None:
    machine = report.machine
    out.print(
        f"{machine.processor}, {machine.cores} cores, {machine.memory_gb} GB; {machine.system}, "
        f"Python {machine.python}, PostgreSQL {machine.postgres['server_version']}, "
        f"Kafka {machine.kafka}; a page to the disk {machine.fdatasync_us:.0f} µs",
        markup=False,
    )
    out.print(f"{report.rounds} rounds, samples of {report.seconds:g} s: {report.command}\n")
    show(_figures(report))
    if report.stages:
        out.print("\n[bold]CPU of a lead on its whole walk[/bold]")
        show(_stages(report))
    if report.idle:
        out.print("\n[bold]Idle[/bold]")
        show(_idle(report))
    for note in report.notes:
        out.print(f"[yellow]→[/yellow] {note}")


def _figures(report: Report) -> Table:
    table = Table("figure", box=None, header_style="bold")
    for heading in ("min", "median", "max"):
        table.add_column(heading, justify="right")
    for heading in ("", "goal", "aim", ""):
        table.add_column(heading)
    for each in report.figures:
        mark = _MARKS[each.verdict] + (f" {DISTURBED}" if each.disturbed else "")
        table.add_row(each.text, *each.spread, each.unit, each.goal, each.aim, mark)
    return table


def _stages(report: Report) -> Table:
    return _spreads(
        "process", "µs a lead", [(each.name, each.microseconds) for each in report.stages]
    )


def _idle(report: Report) -> Table:
    rows = [(f"{each.service}, cores", each.cores) for each in report.idle]
    rows += [(f"{each.service}, MB", each.megabytes) for each in report.idle]
    return _spreads("service (api + worker)", "", rows)


def _spreads(what: str, unit: str, rows: list[tuple[str, tuple[float, float, float]]]) -> Table:
    table = Table(what, box=None, header_style="bold")
    for heading in ("min", "median", "max"):
        table.add_column(heading, justify="right")
    table.add_column(unit)
    for name, values in rows:
        table.add_row(name, *map(shown, values))
    return table
