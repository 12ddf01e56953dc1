"""`handoff parked`: events that could not be applied, and what to do with them."""

import json
from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

import typer
from rich.table import Table

from handoff import parked
from handoff.cli.answers import read_id, read_service, run, this_site, whoever_asks
from handoff.cli.progress import err, out, show
from handoff.parked import Item
from handoff.services import SERVICES
from handoff.site import ENVIRONMENT

app = typer.Typer(no_args_is_help=True, help="Events that could not be applied: look, decide.")

Subject = Annotated[str, typer.Argument(metavar="LEAD_ID")]
OneService = Annotated[
    str | None, typer.Option("--service", metavar="SERVICE", help="Only this one's.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("list", epilog=ENVIRONMENT)
def list_parked(
    *,
    service: OneService = None,
    reason: Annotated[
        Literal["poison", "conflict", "gap", "busy"] | None, typer.Option(help="Only these.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List leads of which events are parked.

    Example: handoff parked list --reason poison
    """
    actor = whoever_asks()
    found = run(parked.listed(this_site(), _services(service), actor=actor, reason=reason))
    if as_json:
        typer.echo(json.dumps(found))
    elif not found:
        out.print("Nothing is parked.")
    else:
        show(_table(found))


@app.command("show", epilog=ENVIRONMENT)
def show_parked(subject: Subject, *, service: OneService = None, as_json: AsJson = False) -> None:
    """Show a lead's parked events raw, with errors and tracebacks.

    Example: handoff parked show 019ab3c2-7d3a-7f00-8000-5b1d2c3e4f50
    """
    found = _parked_at(read_id(subject), service)
    if as_json:
        typer.echo(json.dumps(found))
        return
    for item in found:
        _show_one(item)


@app.command(epilog=ENVIRONMENT)
def release(subject: Subject, *, service: OneService = None) -> None:
    """Apply a lead's parked events in their order; stop at the first that fails again.

    Example: handoff parked release 019ab3c2-7d3a-7f00-8000-5b1d2c3e4f50
    """
    lead_id = read_id(subject)
    _order("release", lead_id, _the_one(lead_id, service))


@app.command(epilog=ENVIRONMENT)
def discard(
    subject: Subject,
    *,
    reason: Annotated[str, typer.Option(help="Why they are given up; it is kept.")],
    service: OneService = None,
) -> None:
    """Give up a lead's parked events: they will never have an effect.

    Example: handoff parked discard 019ab3c2-7d3a-7f00-8000-5b1d2c3e4f50 --reason "sent as a test"
    """
    if not reason.strip():
        raise typer.BadParameter("--reason is empty: say why the events are given up")
    lead_id = read_id(subject)
    _order("discard", lead_id, _the_one(lead_id, service), reason)


def _services(service: str | None) -> Sequence[str]:
    return [read_service(service)] if service else [each.name for each in SERVICES]


def _parked_at(lead_id: UUID, service: str | None) -> list[Item]:
    """Return what is parked of a lead, per service; where nothing is, end with 1."""
    actor = whoever_asks()
    found = run(parked.shown(this_site(), _services(service), lead_id, actor=actor))
    if not found:
        err.print(f"Nothing is parked of {lead_id}.")
        raise typer.Exit(1)
    return found


def _the_one(lead_id: UUID, service: str | None) -> str:
    """Return the service that has something parked of the lead.

    Raises:
        typer.BadParameter: several have.
    """
    found = _parked_at(lead_id, service)
    if len(found) > 1:
        names = ", ".join(item["service"] for item in found)
        raise typer.BadParameter(f"it is parked in {names}: choose one with --service")
    return str(found[0]["service"])


def _order(verb: str, lead_id: UUID, service: str, reason: str | None = None) -> None:
    work = parked.order(
        this_site(), service, lead_id, verb=verb, actor=whoever_asks(), reason=reason
    )
    with err.status(f"Asking the worker of {service}"):
        count = run(work)
    if count is None:
        err.print(f"The worker of {service} has not come to it yet; it will do it when it does.")
        raise typer.Exit(1)
    done = "released" if verb == "release" else "discarded"
    out.print(f"{service} {done} {count} events of {lead_id}.")


def _table(found: list[Item]) -> Table:
    table = Table("service", "lead", "reason", "events", "first", "since", "error", box=None)
    for item in found:
        first = f"{item['first']['type']} #{item['first']['sequence']}"
        words = (item["service"], item["id"], item["reason"], str(item["count"]), first)
        table.add_row(*words, item["parked_at"][:19], item["error"] or "")
    return table


def _show_one(item: Item) -> None:
    waits = f", {item['behind']} of them wait behind another" if item["behind"] else ""
    out.print(f"{item['service']}: {item['reason']}, {item['count']} events{waits}", style="bold")
    for event in item["events"]["items"]:
        place = f"{event['topic']} #{event['sequence']} at {event['partition']}/{event['offset']}"
        out.print(f"\n{event['type']} {event['id']}  {place}  {event['reason']}", markup=False)
        for name in ("error", "traceback"):
            if event[name]:
                out.print(f"  {name}: {event[name]}", markup=False)
        out.print(f"  headers: {json.dumps(event['headers'])}", markup=False)
        out.print(f"  value ({event['value_encoding']}): {event['value']}", markup=False)
    if item["events"]["next"]:
        out.print(f"\n... and more: GET /v1/parked/{item['id']} shows all, page by page")
