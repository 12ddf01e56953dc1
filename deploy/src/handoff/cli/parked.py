"""`handoff parked`: events that could not be applied, and what to do with them."""

import json
from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

import typer
from rich.table import Table

from handoff import parked, parked_causes
from handoff.cli.answers import read_id, read_service, run, this_site, whoever_asks
from handoff.cli.parked_causes import release_cause, show_causes
from handoff.cli.progress import err, out, show
from handoff.door import Item
from handoff.parked_causes import Wanted
from handoff.services import SERVICES
from handoff.site import ENVIRONMENT

_HELP = """Events that could not be applied, or that Kafka does not take: look, decide.

A submission that is parked at the intake is no event yet: POST /v1/submissions/ID/retry there.
"""

app = typer.Typer(no_args_is_help=True, help=_HELP)

Subject = Annotated[str, typer.Argument(metavar="LEAD_ID")]
OneService = Annotated[
    str | None, typer.Option("--service", metavar="SERVICE", help="Only this one's.")
]
OneReason = Annotated[
    Literal["poison", "conflict", "gap", "busy", "held"] | None, typer.Option(help="Only these.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("list", epilog=ENVIRONMENT)
def list_parked(
    *,
    service: OneService = None,
    reason: OneReason = None,
    by_cause: Annotated[
        bool, typer.Option("--by-cause", help="Not the leads, but what they fail for.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List leads of which events are parked, or what they are parked for.

    Example: handoff parked list --reason poison

    Example: handoff parked list --by-cause
    """
    actor = whoever_asks()
    if by_cause:
        _list_causes(_services(service), reason, actor=actor, as_json=as_json)
        return
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
def release(
    subject: Annotated[str | None, typer.Argument(metavar="LEAD_ID")] = None,
    *,
    cause: Annotated[
        str | None, typer.Option(help="All leads of this cause, as list --by-cause names it.")
    ] = None,
    event: Annotated[str | None, typer.Option(metavar="TYPE", help="Only this kind.")] = None,
    reason: OneReason = None,
    service: OneService = None,
    yes: Annotated[bool, typer.Option("--yes", help="Also for more than 100 leads.")] = False,
) -> None:
    """Apply parked events in their order, of one lead or of all that failed for one cause.

    A lead stops at its first event that fails again, and no other lead with it.

    Example: handoff parked release 019ab3c2-7d3a-7f00-8000-5b1d2c3e4f50

    Example: handoff parked release --cause KeyError --service lead-scoring
    """
    if (subject is None) == (cause is None):
        raise typer.BadParameter("name one lead by its id, or all of one --cause")
    if subject is not None:
        lead_id = read_id(subject)
        _order("release", lead_id, _the_one(lead_id, service))
    elif cause is not None:
        release_cause([*_services(service)], Wanted(cause, event, reason), sure=yes)


@app.command(epilog=ENVIRONMENT)
def discard(
    subject: Subject,
    *,
    reason: Annotated[str, typer.Option(help="Why they are given up; it is kept.")],
    service: OneService = None,
) -> None:
    """Give up a lead's parked events: they will never have an effect.

    Of what Kafka does not take, the first event goes out blank, and those behind it follow. Of a
    conflict the event that came second goes, and those behind it take effect.

    Example: handoff parked discard 019ab3c2-7d3a-7f00-8000-5b1d2c3e4f50 --reason "sent as a test"
    """
    if not reason.strip():
        raise typer.BadParameter("--reason is empty: say why the events are given up")
    lead_id = read_id(subject)
    _order("discard", lead_id, _the_one(lead_id, service), reason)


@app.command(epilog=ENVIRONMENT)
def history(subject: Subject, *, service: OneService = None, as_json: AsJson = False) -> None:
    """Show who released or discarded events of a lead, why, and what came of it.

    Example: handoff parked history 019ab3c2-7d3a-7f00-8000-5b1d2c3e4f50
    """
    lead_id, actor = read_id(subject), whoever_asks()
    found = run(parked.history(this_site(), _services(service), lead_id, actor=actor))
    if as_json:
        typer.echo(json.dumps(found))
    elif not found:
        out.print(f"Nobody released or discarded anything of {lead_id}.")
    else:
        show(_orders_table(found))


def _list_causes(services: Sequence[str], reason: str | None, *, actor: str, as_json: bool) -> None:
    found = run(parked_causes.listed(this_site(), services, actor=actor))
    found = [item for item in found if reason in (None, item["reason"])]
    if as_json:
        typer.echo(json.dumps(found))
    else:
        show_causes(found)


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


def _orders_table(found: list[Item]) -> Table:
    table = Table("service", "when", "what", "events", "who", "why", "state", "error", box=None)
    for item in found:
        who = (item["actor"], item["reason"] or "", item["state"], item["error"] or "")
        count = "" if item["count"] is None else str(item["count"])
        table.add_row(item["service"], item["created_at"][:19], item["verb"], count, *who)
    return table


def _show_one(item: Item) -> None:
    waits = f", {item['behind']} of them wait behind another" if item["behind"] else ""
    out.print(f"{item['service']}: {item['reason']}, {item['count']} events{waits}", style="bold")
    for event in item["events"]["items"]:
        place = f"{event['topic']} #{event['sequence']}"
        if event["partition"] is not None:
            place += f" at {event['partition']}/{event['offset']}"
        out.print(f"\n{event['type']} {event['id']}  {place}  {event['reason']}", markup=False)
        for name in ("error", "traceback"):
            if event[name]:
                out.print(f"  {name}: {event[name]}", markup=False)
        out.print(f"  headers: {json.dumps(event['headers'])}", markup=False)
        out.print(f"  value ({event['value_encoding']}): {event['value']}", markup=False)
    if item["events"]["next"]:
        out.print(f"\n... and more: GET /v1/parked/{item['id']} shows all, page by page")
