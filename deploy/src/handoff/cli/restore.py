"""`handoff restore`: the way back after one service's database was restored to an earlier time."""

import json
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from handoff import restore as restoring
from handoff.audit.report import Report
from handoff.cli import replay_shown
from handoff.cli.answers import read_service, run, this_site, whoever_asks
from handoff.cli.progress import err, out, show
from handoff.replay import Order
from handoff.restore import Asked, TakenBack

_MOST_SHOWN = 200


def restore(
    service: Annotated[str, typer.Argument(metavar="SERVICE", callback=read_service)],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would be done; do nothing.")
    ] = False,
    only_list: Annotated[
        bool, typer.Option("--list", help="Only show whom to look at, of this time and before.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Bring a service back whose database was restored to an earlier time.

    Takes back what it had said, from Kafka; lets it hear again what it had heard; and lists the
    leads that a person is to look at. Its API and worker run meanwhile, on the restored database.

    Example: handoff restore sales-pipeline --dry-run
    """
    if only_list:
        _tell_list(run(restoring.listed(this_site(), service)), as_json=as_json)
        return
    with err.status(f"Asking the worker of {service}") as status:
        asked = Asked(
            this_site(),
            service,
            whoever_asks(),
            lambda order: status.update(replay_shown.progress(service, order)),
        )
        orders, report, found = run(_restore(asked, dry_run=dry_run))
    if as_json:
        typer.echo(_json(orders, report, found))
    else:
        _tell(orders, report, found, service, dry_run=dry_run)
    _end(orders, report, service)


async def _restore(
    asked: Asked, *, dry_run: bool
) -> tuple[list[Order], Report, Sequence[TakenBack]]:
    taken = await restoring.take_back(asked, dry_run=dry_run)
    report = await restoring.audited(asked)
    if dry_run:
        return [taken], report, []
    healed, report = await restoring.heal(asked, report)
    return [taken, *healed], report, await restoring.listed(asked.site, asked.service)


def _tell(
    orders: Sequence[Order],
    report: Report,
    found: Sequence[TakenBack],
    service: str,
    *,
    dry_run: bool,
) -> None:
    for order in orders:
        replay_shown.tell(order, as_json=False)
    missing = len(restoring.lacks(report, service))
    if dry_run and missing:
        out.print(f"{service} lacks events of {missing} streams, which would be healed.")
    if found:
        _tell_list(found, as_json=False)
    for sentence in report.advice:
        out.print(f"→ {sentence}", markup=False)


def _tell_list(found: Sequence[TakenBack], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in found]))
        return
    if not found:
        out.print("Nothing was ever taken back here.")
        return
    table = Table("lead", "said", "event", "number", "topic", "comes again by hearing", box=None)
    for each in found[:_MOST_SHOWN]:
        number, again = str(each.sequence), "yes" if each.heard else "[red]no[/red]"
        at = f"{each.said_at:%Y-%m-%d %H:%M:%S}Z"
        table.add_row(str(each.subject), at, each.type, number, each.topic, again)
    show(table)
    if len(found) > _MOST_SHOWN:
        out.print(f"... and {len(found) - _MOST_SHOWN} more: --json lists them")
    leads = len({each.subject for each in found})
    out.print(
        f"Look at these {leads} leads: others were told this of them, and this database may know"
        " less. `handoff trace LEAD_ID` shows a lead's story."
    )


def _json(orders: Sequence[Order], report: Report, found: Sequence[TakenBack]) -> str:
    return json.dumps(
        {
            "orders": orders,
            "look_at": [each.model_dump(mode="json") for each in found],
            "advice": report.advice,
        }
    )


def _end(orders: Sequence[Order], report: Report, service: str) -> None:
    """End with 1 where there was nothing to do, or where something is left."""
    [taken, *healed] = orders
    missing = restoring.lacks(report, service)
    if not (healed or missing or any(each["taken_back"] for each in taken["counts"])):
        err.print(
            f"Nothing to restore: {service} knows what it said, and lacks nothing that it was to "
            f"hear. `handoff restore {service} --list` shows what was taken back before.",
            markup=False,
        )
        raise typer.Exit(1)
    if missing and not taken["dry_run"]:
        raise typer.Exit(1)
