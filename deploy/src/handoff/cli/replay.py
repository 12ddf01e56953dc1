"""`handoff replay`: what was said once, heard or sent once more, without a second effect."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import typer
from rich.status import Status

from handoff import replay
from handoff.cli import replay_shown
from handoff.cli.answers import read_id, read_service, run, this_site, whoever_asks
from handoff.cli.progress import err, out, show
from handoff.door import Refused
from handoff.replay import Order
from handoff.site import ENVIRONMENT, Site

app = typer.Typer(no_args_is_help=True, help="Hear a range of a topic again, or say it again.")

Service = Annotated[str, typer.Option("--service", metavar="SERVICE", help="Whose worker does it.")]
Topic = Annotated[str | None, typer.Option("--topic", help="Only this topic.")]
Since = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="Such as 2026-11-23T09:30:00Z.")
]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Left out: up to now.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count what would be done; do nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
OrderId = Annotated[str, typer.Argument(metavar="ORDER_ID")]


@app.command(epilog=ENVIRONMENT)
def heal(  # noqa: PLR0913  a command has as many arguments as options
    *,
    service: Service,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    partition: Annotated[int | None, typer.Option(help="With --topic, --from, --to.")] = None,
    from_offset: Annotated[int | None, typer.Option("--from", help="The first record.")] = None,
    to_offset: Annotated[int | None, typer.Option("--to", help="The last record.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Let a service hear a range of its topics again: what is missing takes effect.

    Example: handoff replay heal --service notifier --since 2026-11-23T09:30:00Z
    """
    wanted = {
        "verb": "heal",
        "topic": topic,
        "since": _read_time("--since", since),
        "until": _read_time("--until", until),
        "partition": partition,
        "from_offset": from_offset,
        "to_offset": to_offset,
        "dry_run": dry_run,
    }
    _see_through(read_service(service), wanted, as_json=as_json)


@app.command(epilog=ENVIRONMENT)
def republish(  # noqa: PLR0913  a command has as many arguments as options
    *,
    service: Service,
    topic: Topic = None,
    since: Since = None,
    until: Until = None,
    lead: Annotated[
        str | None, typer.Option("--lead", metavar="LEAD_ID", help="All that was said of it.")
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Let a service send again what it sent, from its archive, under the same ids and numbers.

    Example: handoff replay republish --service sales-pipeline --since 2026-11-23T09:30:00Z
    """
    wanted = {
        "verb": "republish",
        "topic": topic,
        "since": _read_time("--since", since),
        "until": _read_time("--until", until),
        "lead_id": str(read_id(lead)) if lead is not None else None,
        "dry_run": dry_run,
    }
    _see_through(read_service(service), wanted, as_json=as_json)


@app.command("list", epilog=ENVIRONMENT)
def list_replays(*, service: Service, as_json: AsJson = False) -> None:
    """List a service's orders to replay, the newest first.

    Example: handoff replay list --service notifier
    """
    found = run(replay.listed(this_site(), read_service(service), actor=whoever_asks()))
    if as_json:
        typer.echo(json.dumps(found))
    elif not found:
        out.print("Nothing was replayed.")
    else:
        show(replay_shown.table(found))


@app.command("show", epilog=ENVIRONMENT)
def show_replay(order_id: OrderId, *, service: Service, as_json: AsJson = False) -> None:
    """Show how far an order is, and what came of it.

    Example: handoff replay show 019ab3c2-7d3a-7f00-8000-5b1d2c3e4f50 --service notifier
    """
    site, name = this_site(), read_service(service)
    order = run(replay.shown(site, name, read_id(order_id), actor=whoever_asks()))
    replay_shown.tell(order, as_json=as_json)


@app.command(epilog=ENVIRONMENT)
def cancel(order_id: OrderId, *, service: Service, as_json: AsJson = False) -> None:
    """End an order; what it did already stays done.

    Example: handoff replay cancel 019ab3c2-7d3a-7f00-8000-5b1d2c3e4f50 --service notifier
    """
    site, name = this_site(), read_service(service)
    order = run(replay.cancelled(site, name, read_id(order_id), actor=whoever_asks()))
    replay_shown.tell(order, as_json=as_json)


def _see_through(service: str, wanted: Mapping[str, object], *, as_json: bool) -> None:
    """Give an order, show how far it is, and end with what came of it."""
    site, given = this_site(), {name: value for name, value in wanted.items() if value is not None}
    order = run(_begin(site, service, given))
    try:
        err.print(f"The worker of {service} has the order {order['id']}.", markup=False)
        with err.status(replay_shown.progress(service, order)) as status:
            order = run(_watch(site, service, order, status))
    except KeyboardInterrupt:
        look = f"handoff replay show {order['id']} --service {service}"
        err.print(f"The worker goes on without you. How far it is: {look}", markup=False)
        raise typer.Exit(1) from None
    replay_shown.tell(order, as_json=as_json)
    if order["state"] != "done":
        raise typer.Exit(2 if order["field"] else 1)


async def _begin(site: Site, service: str, wanted: Mapping[str, object]) -> Order:
    """Give an order; what the API finds wrong is told by the option's name."""
    try:
        return await replay.begin(site, service, wanted, actor=whoever_asks())
    except Refused as refused:
        for name, sentence in refused.fields.items():
            raise typer.BadParameter(
                replay_shown.in_options(sentence), param_hint=replay_shown.option(name)
            ) from None
        raise


async def _watch(site: Site, service: str, order: Order, status: Status) -> Order:
    async for each in replay.watch(site, service, order, actor=whoever_asks()):
        status.update(replay_shown.progress(service, each))
        order = each
    return order


def _read_time(option: str, text: str | None) -> str | None:
    """Return a time as the API takes it.

    Raises:
        typer.BadParameter: it is none, or has no zone.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise typer.BadParameter(
            f"{text!r} is no time with its zone, such as 2026-11-23T09:30:00Z", param_hint=option
        )
    return moment.isoformat()
