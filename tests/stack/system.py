"""The whole product, run as a user runs it: `handoff up`, in a directory of its own.

For the tests that take the walk from outside: by HTTP, by the command, and by killing things.
"""

import itertools
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from tests.stack.keys import bearer

ROOT = Path(__file__).resolve().parents[2]
_HANDOFF = Path(sys.executable).with_name("handoff")
_COMMAND_SECONDS = 170

SCOPES = {
    "marketing-intake": ("leads:write", "leads:read", "sources:write", "operate"),
    "lead-scoring": ("scores:read", "rules:write", "operate"),
    "sales-pipeline": ("deals:read", "deals:write", "reps:write", "operate"),
    "notifier": ("tasks:read", "tasks:write", "operate"),
}


@dataclass
class System:
    """A running Handoff."""

    run: Path
    root: Path = ROOT
    settings: Mapping[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What makes the commands find this one."""
        return {**os.environ, **self.settings, "HANDOFF_RUN_DIR": str(self.run)}

    @property
    def status(self) -> Mapping[str, Any]:
        """What `handoff status --json` is made from: too often asked for to start the command."""
        return json.loads((self.run / "state.json").read_text())

    @property
    def processes(self) -> list[Mapping[str, Any]]:
        """What is written down of each process of ours, the auditor's included."""
        status = self.status
        of_services = [each["processes"] for each in status["services"].values()]
        return [*itertools.chain(*of_services), status["operations"]]

    def handoff(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the command on this system."""
        return subprocess.run(  # noqa: S603  our own command
            [str(_HANDOFF), *arguments],
            env=self.environment,
            text=True,
            capture_output=True,
            timeout=_COMMAND_SECONDS,
            check=check,
        )

    def pids(self, service: str, role: str) -> list[int]:
        """Return the process ids of a role of a service, of those that run at this moment."""
        processes = self.status["services"][service]["processes"]
        return [p["pid"] for p in processes if p["role"] == role and p["pid"] is not None]

    def client(self, service: str) -> httpx.AsyncClient:
        """Return a client of a service's API, with a key for everything."""
        status = self.status
        return httpx.AsyncClient(
            base_url=status["services"][service]["url"],
            headers=bearer(self.key(service)),
            timeout=15.0,
        )

    def key(self, service: str) -> str:
        """Return a key with all scopes of a service; made once."""
        if service not in self.keys:
            scopes = [part for scope in SCOPES[service] for part in ("--scope", scope)]
            answer = self.handoff("keys", "create", "--service", service, *scopes, "--json")
            self.keys[service] = json.loads(answer.stdout)["key"]
        return self.keys[service]


@contextmanager
def running(*options: str, **settings: str) -> Generator[System]:
    """Run the product during a block; settings by the names of their variables."""
    place = Path(tempfile.gettempdir()) / f"handoff-system-{secrets.token_hex(4)}"
    place.mkdir(mode=0o755)
    system = System(place, settings=settings)
    try:
        answer = system.handoff("up", "--detach", *options, check=False)
        if answer.returncode != 0:
            raise RuntimeError(answer.stdout + answer.stderr)
        yield system
    finally:
        system.handoff("down", check=False)
        subprocess.run(["rm", "-rf", str(place)], check=False)  # noqa: S603, S607  our own directory
