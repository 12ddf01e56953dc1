"""`handoff trace`: one lead's story, step by step."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from handoff.cli.answers import read_id, run, this_site
from handoff.cli.progress import err, out, show
from handoff.trace.story import Step
from handoff.trace.tracing import Trace
from handoff.trace.tracing import trace as read_trace

_SECOND = 1000.0
_ODD = {
    "expired": " (expired there)",
    "another": " (ANOTHER RECORD IS THERE)",
    "lost": " (KAFKA DOES NOT REACH THAT FAR)",
}
_TABLE_WIDTH = 110
_MINUTE, _HOUR = 60 * _SECOND, 3600 * _SECOND


def trace(
    lead_id: Annotated[str, typer.Argument(metavar="LEAD_ID")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show what happened with a lead, over all services, and what it waits for.

    Example: handoff trace 019ab3c2-7d3a-7f00-8000-5b1d2c3e4f50
    """
    lead = read_id(lead_id)
    with err.status("Reading four databases and Kafka"):
        found = run(read_trace(this_site(), lead))
    if found is None:
        err.print(f"No database knows a lead {lead}.")
        raise typer.Exit(1)
    if as_json:
        typer.echo(found.model_dump_json())
    else:
        (_show_table if out.is_terminal and out.width >= _TABLE_WIDTH else _show_lines)(found)
        _show_rest(found)


def _show_table(found: Trace) -> None:
    table = Table("time", "", "service", "what", "where", "note", box=None)
    for column in table.columns[:3]:
        column.no_wrap = True
    for step in found.steps:
        moment, after, service, what, where, ears, note = words_of(step)
        notes = "\n".join(word for word in (note, ears if step.not_heard_by else "") if word)
        words = (moment[11:], after, service, f"{what}\n{step.id or ''}", where, notes)
        table.add_row(*(escape(word.strip()) for word in words))
    out.print(f"{found.lead_id}, first seen {found.steps[0].at:%Y-%m-%d} (UTC)\n")
    show(table)


def _show_lines(found: Trace) -> None:
    for step in found.steps:
        words = [*words_of(step), f"id {step.id}" if step.id else ""]
        out.print("  ".join(word for word in words if word), markup=False)


def _show_rest(found: Trace) -> None:
    for alias in found.aliases:
        out.print(f"\nMerged into it: {alias}")
    if not found.kafka_answered:
        out.print("\nKafka did not answer: whether the records are there was not looked at.")
    if not found.waiting:
        out.print("\nIt waits for nothing.")
        return
    out.print("\nIt waits for:")
    for sentence in found.waiting:
        out.print(f"  {sentence}", markup=False)


def words_of(step: Step) -> tuple[str, ...]:
    """Return a step as words: when, how much later, who, what, where, heard by whom, and why."""
    return (
        f"{step.at:%Y-%m-%d %H:%M:%S}.{step.at.microsecond // 1000:03d}Z",
        duration(step.after_ms),
        step.service,
        f"{_kind(step)} {step.event}".strip(),
        _place(step),
        _heard(step),
        step.note or "",
    )


def duration(milliseconds: float | None) -> str:
    """Return a time between steps as people write it."""
    if milliseconds is None:
        return ""
    if milliseconds < _SECOND:
        return f"+{milliseconds:.0f} ms"
    if milliseconds < _MINUTE:
        return f"+{milliseconds / _SECOND:.2f} s"
    if milliseconds < _HOUR:
        return f"+{milliseconds / _MINUTE:.1f} min"
    return f"+{milliseconds / _HOUR:.1f} h"


def _kind(step: Step) -> str:
    return "" if step.kind in {"said", "step"} else step.kind


def _place(step: Step) -> str:
    if step.topic is None:
        return ""
    number = f"{step.topic} #{step.sequence}"
    if step.partition is None or step.offset is None:
        return number
    confirmed = " ✓" if step.in_kafka == "there" else _ODD.get(step.in_kafka or "", "")
    return f"{number} at {step.partition}/{step.offset}{confirmed}"


def _heard(step: Step) -> str:
    if not step.heard_by and not step.not_heard_by:
        return ""
    missing = f" not yet: {', '.join(step.not_heard_by)}" if step.not_heard_by else ""
    return f"heard by {', '.join(step.heard_by) or 'nobody'}{missing}"
