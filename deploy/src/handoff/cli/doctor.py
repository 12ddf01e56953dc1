"""`handoff doctor`: what this machine has, and what is off, a line each."""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import typer

from handoff.cli.places import this_layout
from handoff.cli.progress import out
from handoff.embedded.jars import jars_place
from handoff.embedded.machine import (
    Missing,
    find_java,
    find_maven,
    find_postgres,
    postgres_version,
    unprivileged_account,
)
from handoff.embedded.ports import listen
from handoff.embedded.tool import ToolFailed
from handoff.layout import Layout
from handoff.lock import find_holder
from handoff.readiness import ask_readiness
from handoff.services import SERVICES
from handoff.state import SystemState, read_state

_ENOUGH_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    fine: bool
    text: str


def doctor() -> None:
    """Check what the embedded stack needs and, where it runs, every process; 1 if one is off.

    Example: handoff doctor
    """
    layout = this_layout()
    state = read_state(layout)
    findings = [*machine_findings(), *place_findings(layout)]
    findings += asyncio.run(process_findings(state)) if state else port_findings()
    for finding in findings:
        out.print(f"{'[green]✓[/green]' if finding.fine else '[red]✗[/red]'} {finding.text}")
    if not all(finding.fine for finding in findings):
        raise typer.Exit(1)


def machine_findings() -> Iterator[Finding]:
    """Look for the programs."""
    environ = os.environ
    yield _look("Java", lambda: str(find_java(environ)))
    yield _look("Maven", lambda: str(find_maven(environ)))
    yield _look("Postgres", lambda: postgres_version(find_postgres(environ)))
    yield _look("account for Postgres", _account)


def place_findings(layout: Layout) -> Iterator[Finding]:
    """Look at the disk and at what earlier runs left."""
    jars = jars_place(layout.kafka_pom, os.environ)
    yield Finding(
        True, f"Kafka's jars: {jars if jars.exists() else 'to be got by the first start'}"
    )
    layout.run.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(layout.run).free
    yield Finding(free > _ENOUGH_BYTES, f"disk: {free / 1024**3:.1f} GiB free at {layout.run}")
    stale = layout.state.exists() and find_holder(layout.lock) is None
    hint = f"{layout.state} is of a run that was killed; the next start clears it"
    yield Finding(not stale, hint if stale else "no trace of a killed run")


def port_findings() -> list[Finding]:
    """Look whether the preferred ports are free; taken ones are stepped over."""
    return [_port_finding(service.name, service.port) for service in SERVICES]


async def process_findings(state: SystemState) -> list[Finding]:
    """Ask every process whether it is ready."""
    processes = [process for service in state.services.values() for process in service.processes]
    processes += [state.operations] if state.operations else []
    answers = await asyncio.gather(*(ask_readiness(each.operations_url) for each in processes))
    return [
        Finding(answer.fine, f"{process.name}: {answer.text}")
        for process, answer in zip(processes, answers, strict=True)
    ]


def _look(what: str, find: Callable[[], str]) -> Finding:
    try:
        return Finding(True, f"{what}: {find()}")
    except (Missing, ToolFailed) as error:
        return Finding(False, f"{what}: {error}")


def _account() -> str:
    account = unprivileged_account()
    return account.name if account else "the invoking user"


def _port_finding(name: str, port: int) -> Finding:
    try:
        listen(port).close()
    except OSError:
        return Finding(True, f"port {port} ({name}) is in use: the next free one is taken")
    return Finding(True, f"port {port} ({name}) is free")
