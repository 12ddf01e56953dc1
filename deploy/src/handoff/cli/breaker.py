"""`handoff breaker`: is a consumer stopped because its code fails, and let it go on."""

import json
from typing import Annotated

import typer
from rich.table import Table

from handoff import breaker
from handoff.cli.answers import read_service, run, this_site, whoever_asks
from handoff.cli.progress import out, show
from handoff.door import Item
from handoff.services import SERVICES
from handoff.site import ENVIRONMENT

app = typer.Typer(
    no_args_is_help=True, help="Consumers that were stopped before they park the world."
)

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("list", epilog=ENVIRONMENT)
def list_breakers(*, as_json: AsJson = False) -> None:
    """Show the breaker of each service, and of each version of its code that ran.

    Example: handoff breaker list
    """
    names = [service.name for service in SERVICES]
    found = run(breaker.listed(this_site(), names, actor=whoever_asks()))
    if as_json:
        typer.echo(json.dumps(found))
    elif not found:
        out.print("No breaker has counted anything yet.")
    else:
        show(_table(found))


@app.command(epilog=ENVIRONMENT)
def close(
    service: Annotated[str, typer.Argument(metavar="SERVICE", callback=read_service)],
) -> None:
    """Let a consumer that its breaker stopped go on. Other code goes on by itself.

    Example: handoff breaker close lead-scoring
    """
    closed = run(breaker.close(this_site(), service, actor=whoever_asks()))
    versions = ", ".join(str(item["id"]) for item in closed)
    out.print(f"The breaker of {service} is closed ({versions}); it goes on within seconds.")


def _table(found: list[Item]) -> Table:
    table = Table(
        "service", "code", "state", "in a row", "of the last", "since", "reason", box=None
    )
    for item in found:
        share = f"{item['poisoned']} of {item['counted']}"
        words = (item["service"], item["id"], item["state"], str(item["in_a_row"]), share)
        table.add_row(*words, (item["opened_at"] or "")[:19], item["reason"] or "")
    return table
