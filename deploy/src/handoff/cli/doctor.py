"""`handoff doctor`: what this machine or an installation elsewhere has, and what is off."""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator

import typer
from rich.markup import escape

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
from handoff.examination import Finding, examine
from handoff.layout import Layout
from handoff.lock import find_holder
from handoff.readiness import ask_readiness
from handoff.services import SERVICES
from handoff.site import find_site, is_elsewhere, site_of
from handoff.state import SystemState, read_state
from shared.settings import WrongSetting

_ENOUGH_BYTES = 2 * 1024**3


def doctor() -> None:
    """Check that all is there and as it should be, a line each; 1 if something is off.

    On this machine: what the embedded stack needs and, where it runs, every process. Of what runs,
    here or where HANDOFF_OPERATIONS_DATABASE_URL_<SERVICE> and the like name an installation (as in
    a pod of `operations`): its databases and their tables, its APIs, its topics, and the clocks.

    Example: handoff doctor
    """
    findings = _elsewhere() if is_elsewhere(os.environ) else _here()
    for finding in findings:
        sign = "[green]✓[/green]" if finding.fine else "[red]✗[/red]"
        out.print(f"{sign} {escape(finding.text)}")
    if not all(finding.fine for finding in findings):
        raise typer.Exit(1)


def _elsewhere() -> list[Finding]:
    try:
        site = find_site(os.environ, this_layout())
    except WrongSetting as error:
        return [Finding(False, str(error))]
    return asyncio.run(examine(site))


def _here() -> list[Finding]:
    layout = this_layout()
    state = read_state(layout)
    findings = [*machine_findings(), *place_findings(layout)]
    return findings + (asyncio.run(system_findings(state)) if state else port_findings())


async def system_findings(state: SystemState) -> list[Finding]:
    """Look at what runs here: every process, and what they work with."""
    return [*await process_findings(state), *await examine(site_of(state))]


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
