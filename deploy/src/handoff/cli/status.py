"""`handoff status`: what runs, where, and how often each process died."""

import asyncio
import json
import os
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from handoff.cli.answers import end
from handoff.cli.places import nothing_runs, this_layout
from handoff.cli.progress import out
from handoff.readiness import ask_readiness
from handoff.site import is_elsewhere
from handoff.state import ProcessState, SystemState, read_state

WEAKER = (
    "Weaker than in a cluster: Kafka keeps one copy of each record (replication 1), and Postgres\n"
    "has no standby. Losing this machine's disk loses what is on it."
)
_STOPPED: dict[str, Any] = {
    "state": "stopped",
    "services": {},
    "operations": None,
    "kafka": None,
    "postgres": None,
}


def status(
    *, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """Show what `handoff up` runs, and where; ends with 1 if nothing does.

    Example: handoff status --json
    """
    state = read_state(this_layout())
    if state is None:
        if as_json and not is_elsewhere(os.environ):
            typer.echo(json.dumps(_STOPPED))
            raise typer.Exit(1)
        raise end(nothing_runs(os.environ))
    if as_json:
        typer.echo(json.dumps(for_programs(state)))
    else:
        asyncio.run(_show(state))


def for_programs(state: SystemState) -> dict[str, Any]:
    """Return the documented shape: no more than programs were promised."""
    return state.model_dump(
        include={
            "state": True,
            "services": {
                name: {
                    "url": True,
                    "operations_url": True,
                    "database": True,
                    "processes": {"__all__": {"role", "pid", "restarts", "operations_url"}},
                }
                for name in state.services
            },
            "operations": {"operations_url", "pid", "restarts"},
            "kafka": True,
            "postgres": True,
        }
    )


async def _show(state: SystemState) -> None:
    table = Table("process", "pid", "restarts", "where", "state", box=None, header_style="bold")
    table.add_row("postgres", str(state.postgres.pid), str(state.postgres.restarts))
    kafka = state.kafka
    table.add_row("kafka", str(kafka.pid), str(kafka.restarts), kafka.bootstrap)
    for service in state.services.values():
        await _add_processes(table, service.processes, service.url)
    if state.operations is not None:
        await _add_processes(table, [state.operations], state.operations.operations_url)
    out.print(f"Handoff is {state.state}.\n")
    out.print(table)
    out.print(f"\n{WEAKER}", style="dim")


async def _add_processes(table: Table, processes: Sequence[ProcessState], url: str) -> None:
    answers = await asyncio.gather(
        *(ask_readiness(process.operations_url) for process in processes)
    )
    for process, answer in zip(processes, answers, strict=True):
        mark = Text(answer.text, style="green" if answer.fine else "red")
        where = url if process.role == "api" else process.operations_url
        table.add_row(process.name, str(process.pid), str(process.restarts), where, mark)
