"""`handoff demo`: leads at a steady rate through the real door, and the funnel at the end."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from handoff.cli.answers import run, this_site
from handoff.cli.progress import err, out, show
from handoff.demo.demonstration import Result, demonstrate
from handoff.demo.funnel import OUTCOMES, Funnel, sums_of
from handoff.demo.people import DemoLead, plausible_leads
from handoff.demo.rows import WrongFile, read_leads

_DEFAULT_COUNT = 300
_SAY_EVERY = 1000


class Display:
    """Shows how far the demonstration is: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, progress: Progress, count: int) -> None:
        """Begin with nothing sent."""
        self._progress = progress
        self._count = count
        self._sent = 0
        self._task = progress.add_task("leads sent", total=count)

    def sent(self) -> None:
        """Count one more."""
        self._sent += 1
        self._progress.advance(self._task)
        if self._progress.disable and self._sent % _SAY_EVERY == 0:
            err.print(f"{self._sent} of {self._count} leads sent ...")

    def waiting(self, what: str, count: int) -> None:
        """Show what is still on its way."""
        self._progress.update(self._task, description=f"{count} {what}")


def demo(
    *,
    data: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Rows of the X Education data set; all are sent."),
    ] = None,
    rate: Annotated[float, typer.Option(min=0.1, max=5000, help="Leads a second.")] = 100.0,
    count: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="How many; 300 without a file.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another one gives other people.")] = 1,
    patience: Annotated[float, typer.Option(help="Seconds to wait until all is quiet.")] = 120.0,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Post leads at a steady rate, wait until all is quiet, and print what became of them.

    Ends with 1 where the numbers do not fit together.

    Example: handoff demo --rate 50 --count 500
    """
    leads = _leads(data, count, seed)
    site = this_site()
    with _progress() as progress:
        display = Display(progress, len(leads))
        work = demonstrate(site, leads, rate=rate, patience=patience, watcher=display)
        result = run(work)
    sums = list(sums_of(result.funnel))
    if as_json:
        checks = [{**each.model_dump(), "holds": each.holds} for each in sums]
        typer.echo(json.dumps({"funnel": result.funnel.model_dump(), "sums": checks}))
    else:
        _show(result)
    if not all(each.holds for each in sums):
        raise typer.Exit(1)


def _leads(data: Path | None, count: int | None, seed: int) -> Sequence[DemoLead]:
    if data is None:
        return list(plausible_leads(count or _DEFAULT_COUNT, seed=seed))
    try:
        return read_leads(data)[:count]
    except (OSError, UnicodeDecodeError, WrongFile) as error:
        raise typer.BadParameter(str(error)) from None


def _progress() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=err, disable=not err.is_terminal, transient=True)


def _show(result: Result) -> None:
    sent = result.sent
    out.print(
        f"{sent.count} leads in {sent.took:.1f} s, {sent.count / sent.took:.0f} a second; "
        f"answered within {sent.percentile(0.5) * 1000:.0f} ms (half of them), "
        f"{sent.percentile(0.99) * 1000:.0f} ms (99 %)"
    )
    for refusal in sorted(set(sent.refusals))[:5]:
        out.print(f"refused: {refusal}", markup=False)
    show(_funnel_table(result.funnel))
    out.print()
    for each in sums_of(result.funnel):
        mark = "[green]✓[/green]" if each.holds else "[red]✗[/red]"
        out.print(f"{mark} {each.text}: {each.left} = {each.right}")


def _funnel_table(funnel: Funnel) -> Table:
    table = Table("step", "count", "", box=None, header_style="bold")
    states = [*OUTCOMES, *(each for each in funnel.submissions if each not in OUTCOMES)]
    outcomes = ", ".join(
        f"{each} {funnel.submissions[each]}" for each in states if each in funnel.submissions
    )
    grades = ", ".join(f"{grade} {number}" for grade, number in funnel.grades.items())
    rows = (
        ("submissions", funnel.accepted, outcomes),
        ("leads", funnel.leads, f"{funnel.created} of them new"),
        ("scored", funnel.scored, grades),
        ("qualified", funnel.qualified, ""),
        ("deals", funnel.deals, f"of {funnel.with_deal} leads"),
        ("tasks", funnel.tasks, f"of {funnel.with_task} leads"),
    )
    for name, number, note in rows:
        table.add_row(name, str(number), note)
    return table
