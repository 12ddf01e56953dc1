"""`handoff audit`: is everything that was said also heard?"""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from handoff.audit.behind import State
from handoff.audit.reconcile import reconcile
from handoff.audit.report import Behind, Report
from handoff.cli.answers import run, this_site
from handoff.cli.progress import err, out, show

_MOST_SHOWN = 50
_WORDS = {
    State.OUTBOX: "not sent yet: it waits in the publisher's outbox",
    State.IN_FLIGHT: "sent, and the hearer has not come to it yet",
    State.PARKED: "parked",
    State.MISSING: "[red]missing[/red]: the hearer passed it without hearing it",
    State.AHEAD: "[red]ahead[/red]: heard, and unknown to its publisher; was that one restored?",
}


def audit(
    *,
    wait: Annotated[
        float, typer.Option(min=0, max=600, help="Seconds to give to what is on its way.")
    ] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Reconcile the four databases: what each said, and what each heard of it.

    Ends with 1, and names the leads, where something is neither level nor parked.

    Example: handoff audit --json
    """
    with err.status("Comparing") as status:
        report = run(
            reconcile(
                this_site(),
                wait=wait,
                tell=lambda count: status.update(f"{count} streams are on their way"),
            )
        )
    if as_json:
        typer.echo(report.model_dump_json())
    else:
        _show(report)
    if not report.balanced:
        raise typer.Exit(1)


def _show(report: Report) -> None:
    table = Table("topic", "hearer", "leads", "said", "heard", "parked", "", box=None)
    for pair in report.pairs:
        odd = ", ".join(
            f"{number} {state.replace('_', ' ')}" for state, number in pair.behind.items()
        )
        numbers = (str(each) for each in (pair.subjects, pair.said, pair.heard, pair.parked))
        table.add_row(pair.topic, pair.hearer, *numbers, odd or "[green]level[/green]")
    show(table)
    for each in report.behind[:_MOST_SHOWN]:
        out.print(_line(each))
    if len(report.behind) > _MOST_SHOWN:
        out.print(f"... and {len(report.behind) - _MOST_SHOWN} more: --json lists all")
    out.print(_verdict(report))


def _line(each: Behind) -> str:
    where = f"{each.topic} at {each.hearer}: heard {each.heard} of {each.said}"
    return f"{each.subject}  {where}, {_WORDS[each.state]}" + (
        escape(f" ({each.detail})") if each.detail else ""
    )


def _verdict(report: Report) -> str:
    if not report.balanced:
        return "[red]✗[/red] Not balanced."
    parked = sum(pair.parked for pair in report.pairs)
    rest = f"; {parked} events are parked" if parked else ""
    return f"[green]✓[/green] Balanced: what was said was heard{rest}."
