"""The system that `deploy/compose/compose.yaml` describes, while tests look at it."""

import json
import secrets
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from tests.deploy.engine import Engine
from tests.deploy.images import ROOT
from tests.deploy.standins.making import make
from tests.deploy.standins.table import KAFKA, POSTGRES
from tests.stack.keys import bearer

from handoff.embedded.ports import LOOPBACK, Ports
from handoff.keys import SCOPES
from handoff.services import SERVICES

FILE = ROOT / "deploy/compose/compose.yaml"


@dataclass(frozen=True, slots=True)
class Composed:
    """A running project of Docker Compose.

    Attributes:
        ports: where each service's API is published.
        secrets: the directory of the secret files.
    """

    engine: Engine
    project: str
    ports: Mapping[str, int]
    secrets: Path
    keys: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def network(self) -> str:
        """Where its containers find each other."""
        return f"{self.project}_default"

    def compose(self, *arguments: str) -> str:
        """Run a command of `docker compose` on it."""
        names = {service.package.upper(): service.name for service in SERVICES}
        ports = {f"HANDOFF_PORT_{name}": str(self.ports[names[name]]) for name in names}
        return compose(
            self.engine, "-p", self.project, *arguments, HANDOFF_SECRETS=str(self.secrets), **ports
        )

    def handoff(self, *arguments: str) -> str:
        """Run the command `handoff` where people run it."""
        return self.compose("exec", "--no-TTY", "operations", "handoff", *arguments)

    def client(self, service: str) -> httpx.AsyncClient:
        """Return a client of a service's API from outside, with a key for everything."""
        if service not in self.keys:
            scopes = [part for scope in SCOPES[service] for part in ("--scope", scope)]
            told = self.handoff("keys", "create", "--service", service, *scopes, "--json")
            self.keys[service] = json.loads(told)["key"]
        url = f"http://{LOOPBACK}:{self.ports[service]}"
        return httpx.AsyncClient(base_url=url, headers=bearer(self.keys[service]), timeout=15.0)


def compose(engine: Engine, *arguments: str, **environment: str) -> str:
    """Run a command of `docker compose` on the project's file; no `.env` of a user is read."""
    options = ("--file", str(FILE), "--env-file", "/dev/null")
    return engine.docker("compose", *options, *arguments, **environment)


@contextmanager
def composed_system(engine: Engine, directory: Path) -> Generator[Composed]:
    """Start it, and take it away with its volumes."""
    for image in (POSTGRES, KAFKA):
        make(image, engine)
    subprocess.run([str(FILE.with_name("secrets.sh")), str(directory / "made")], check=True)  # noqa: S603
    ports = Ports(directory / "ports.json")
    chosen = {service.name: ports.claim(service.name, service.port + 100) for service in SERVICES}
    system = Composed(engine, f"handoff-{secrets.token_hex(3)}", chosen, directory / "made")
    try:
        _start(system)
        yield system
    finally:
        system.compose("down", "--volumes", "--timeout", "45")


def _start(system: Composed) -> None:
    try:
        system.compose("up", "--detach", "--wait", "--no-build", "--quiet-pull")
    except AssertionError as failed:
        failed.add_note(system.compose("logs", "--no-color", "--tail", "8"))
        raise
