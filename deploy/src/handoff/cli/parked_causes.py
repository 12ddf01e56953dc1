"""`handoff parked list --by-cause` and `release --cause`: many leads that fail for one reason."""

import sys

import typer
from rich.table import Table

from handoff import parked_causes
from handoff.cli.answers import run, this_site, whoever_asks
from handoff.cli.progress import err, out, show
from handoff.door import Item
from handoff.parked_causes import Wanted

_MANY = 100


def show_causes(found: list[Item]) -> None:
    """Print what leads are parked for, with how many."""
    if not found:
        out.print("Nothing is parked.")
        return
    table = Table("service", "cause", "event", "reason", "leads", "since", box=None)
    for item in found:
        words = (item["service"], item["cause"], item["type"], item["reason"], str(item["leads"]))
        table.add_row(*words, item["parked_at"][:19])
    show(table)


def release_cause(services: list[str], wanted: Wanted, *, sure: bool) -> None:
    """Release all that is parked for one cause; end with 1 where something still fails."""
    actor = whoever_asks()
    leads = run(parked_causes.count(this_site(), services, wanted, actor=actor))
    if not leads:
        err.print(f"No lead is parked for {wanted.cause!r}, or none any more.", markup=False)
        raise typer.Exit(1)
    total = sum(leads.values())
    if total > _MANY and not sure:
        _make_sure(f"{total} leads in {', '.join(leads)}")
    failing = sum([_release(service, wanted, actor=actor) for service in leads])
    if failing:
        raise typer.Exit(1)


def _make_sure(what: str) -> None:
    """Ask a person; a program has to say it beforehand."""
    if not sys.stdin.isatty():
        err.print(f"That are {what}: say --yes if you mean all of them.")
        raise typer.Exit(1)
    typer.confirm(f"Release {what}?", abort=True, err=True)


def _release(service: str, wanted: Wanted, *, actor: str) -> int:
    """Release what one service has; tell how far it is; return how many leads still fail."""
    with err.status(f"Asking the worker of {service}") as status:

        def tell(item: Item) -> None:
            status.update(f"{service}: {_so_far(item)}")

        done = run(parked_causes.release(this_site(), service, wanted, actor=actor, tell=tell))
    if done["state"] == "open":
        err.print(f"{service}: {_so_far(done)}; its worker goes on when it runs.")
        raise typer.Exit(1)
    out.print(f"{service}: {done['released']} leads released, {done['failing']} still failing.")
    return int(done["failing"])


def _so_far(item: Item) -> str:
    return f"{item['released']} of {item['leads']} leads released, {item['failing']} still failing"
