"""`handoff audit`: is everything that was said also heard, and acted upon?"""

import re
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from handoff.audit.behind import State
from handoff.audit.reconcile import Scope, reconcile
from handoff.audit.report import Behind, Report
from handoff.cli.answers import run, this_site
from handoff.cli.progress import err, out, show
from shared.clock import utc_now

_MOST_SHOWN = 50
_WORDS = {
    State.OUTBOX: "not sent yet: it waits in the publisher's outbox",
    State.IN_FLIGHT: "sent, and the hearer has not come to it yet",
    State.WAITING: "waits until its rows are free, and releases itself",
    State.PARKED: "parked",
    State.MISSING: "[red]missing[/red]: the hearer passed it without hearing it",
    State.AHEAD: "[red]ahead[/red]: heard, and unknown to its publisher; was that one restored?",
}
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_HIGHEST_NUMBER = 99_999


def read_since(text: str | None) -> datetime | None:
    """Return the time that `10m`, `2h` or an ISO 8601 time means.

    Raises:
        typer.BadParameter: it means none, or one that is to come.
    """
    if text is None:
        return None
    now = utc_now()
    since = _ago(text, now) or _time(text)
    if since is None or since > now:
        why = "is to come" if since else "is no time"
        raise typer.BadParameter(
            f"{text!r} {why}: give how long ago, such as 30s, 10m, 2h or 1d, or a time with its "
            "zone, such as 2026-01-31T12:00:00Z"
        )
    return since


def audit(
    *,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only what moved since: 10m ago, or 2026-01-31T12:00Z."),
    ] = None,
    kafka: Annotated[
        bool, typer.Option("--kafka", help="Also read the topics and compare them; takes longer.")
    ] = False,
    wait: Annotated[
        float, typer.Option(min=0, max=600, help="Seconds to give to what is on its way.")
    ] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Reconcile the four databases: what each said, what each heard of it, what came of that.

    Ends with 1, and names the leads, where something is neither level nor parked, or an invariant
    of a service is broken.

    Example: handoff audit --since 10m --json
    """
    scope = Scope(since=read_since(since), topics=kafka)
    with err.status("Comparing") as status:
        report = run(
            reconcile(
                this_site(),
                wait=wait,
                scope=scope,
                tell=lambda what, count: status.update(f"{count} {what}"),
            )
        )
    if as_json:
        typer.echo(report.model_dump_json())
    else:
        _show(report)
    if not report.fine:
        raise typer.Exit(1)


def _ago(text: str, now: datetime) -> datetime | None:
    found = re.fullmatch(r"([0-9]{1,5})([smhd])", text.strip())
    if found is None:
        return None
    return now - timedelta(**{_UNITS[found[2]]: int(found[1])})


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _show(report: Report) -> None:
    show(_table(report))
    lines = [_line(each) for each in report.behind]
    lines += [
        escape(f"{e.subject}  {e.service}, {e.invariant}: {e.detail}") for e in report.violations
    ]
    lines += [escape(each) for each in report.kafka.named] if report.kafka else []
    for line in lines[:_MOST_SHOWN]:
        out.print(line)
    if len(lines) > _MOST_SHOWN:
        out.print(f"... and {len(lines) - _MOST_SHOWN} more: --json lists them")
    for sentence in report.advice:
        out.print(f"[yellow]→[/yellow] {escape(sentence)}")
    out.print(_verdict(report))


def _table(report: Report) -> Table:
    table = Table("topic", "hearer", "leads", "said", "heard", "parked", "", box=None)
    for pair in report.pairs:
        odd = ", ".join(
            f"{number} {state.replace('_', ' ')}" for state, number in pair.behind.items()
        )
        numbers = (str(each) for each in (pair.subjects, pair.said, pair.heard, pair.parked))
        table.add_row(pair.topic, pair.hearer, *numbers, odd or "[green]level[/green]")
    return table


def _line(each: Behind) -> str:
    where = f"{each.topic} at {each.hearer}: heard {each.heard} of {each.said}"
    return f"{each.subject}  {where}, {_WORDS[each.state]}" + (
        escape(f" ({each.detail})") if each.detail else ""
    )


def _verdict(report: Report) -> str:
    parked = sum(pair.parked for pair in report.pairs)
    looked = f" since {report.since:%Y-%m-%d %H:%M:%S}Z" if report.since else ""
    rest = f"; {parked} events are parked" if parked else ""
    if leads := {each.subject for each in report.restored}:
        rest += f"; {len(leads)} leads wait for a person since a database was restored"
    if report.kafka:
        rest += f"; {report.kafka.records} records in Kafka"
    if report.fine:
        return f"[green]✓[/green] Balanced{looked}: what was said was heard{rest}."
    broken = ", ".join(f"{name} {count}" for name, count in report.broken.items())
    if report.passed_over:
        rest += f"; {report.passed_over} more streams differ"
    if not report.kafka_answered:
        rest += "; Kafka did not say how far the hearers have read"
    return (
        f"[red]✗[/red] Not balanced{looked}: {report.missing} leads missing or broken"
        + (f" ({broken})" if broken else "")
        + f"{rest}."
    )
