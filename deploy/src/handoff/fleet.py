"""How the services' processes are started: which there are, on which ports, with what settings."""

import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from handoff.embedded.databases import OPERATIONS
from handoff.embedded.ports import LOOPBACK, Ports
from handoff.embedded.stack import EmbeddedStack
from handoff.readiness import has_come_up, is_alive
from handoff.services import ROLES, SERVICES, Service
from handoff.site import DATABASE, variable
from handoff.supervisor.spec import Spec
from shared import limits

ERASURE = "erasure"
AUDITOR = "operations"
"""Name of the one process that is no service's: it audits them all."""
_OPERATIONS_PORT = 8111


@dataclass(frozen=True, slots=True)
class Member:
    """One process of a service."""

    service: Service
    role: str
    number: int
    operations_port: int

    @property
    def name(self) -> str:
        """Stable over restarts: its name in Kafka's groups and of its log."""
        return f"{self.service.name}-{self.role}-{self.number}"

    @property
    def operations_url(self) -> str:
        """Where /livez, /readyz and /metrics are."""
        return f"http://{LOOPBACK}:{self.operations_port}"


@dataclass(frozen=True, slots=True)
class Fleet:
    """All processes of the services, and the sockets on which their APIs listen.

    The sockets belong to the supervisor, which hands them down: while an API process is started
    again, requests wait in its socket's queue instead of being refused.
    """

    members: tuple[Member, ...]
    auditor_port: int
    listeners: Mapping[str, socket.socket]
    ports: Mapping[str, int]
    stack: EmbeddedStack
    secrets: Mapping[str, str]

    def url(self, service: Service) -> str:
        """Where a service's API is."""
        return f"http://{LOOPBACK}:{self.ports[service.name]}"

    def database_url(self, service: Service, role: str) -> str:
        """Where a service's database is, as one of its login roles."""
        address = f"{LOOPBACK}:{self.stack.postgres.port}"
        return f"postgresql://{role}:{self.secrets[role]}@{address}/{service.database}"

    def migrations(self, environ: Mapping[str, str]) -> list[Spec]:
        """Return the jobs that bring the databases' tables up to date."""
        return [
            Spec(
                name=f"{service.name}-migrate",
                command=_command(service, "migrate"),
                environment=self._environment(service, f"{service.name}-migrate", environ),
            )
            for service in SERVICES
        ]

    def specs(self, environ: Mapping[str, str]) -> list[Spec]:
        """Return the processes that keep running."""
        return [*(self._spec(member, environ) for member in self.members), self._auditor(environ)]

    @property
    def auditor_url(self) -> str:
        """Where /livez, /readyz and /metrics of the auditing process are."""
        return f"http://{LOOPBACK}:{self.auditor_port}"

    def close(self) -> None:
        """Take no new connections; those that were taken are the processes' to end."""
        for listener in self.listeners.values():
            listener.close()

    def _spec(self, member: Member, environ: Mapping[str, str]) -> Spec:
        descriptor = self.listeners[member.service.name].fileno()
        settings = self._environment(member.service, member.name, environ)
        settings |= _listens(member.operations_port)
        if member.role == "api":
            settings |= {
                "HANDOFF_HTTP_HOST": LOOPBACK,
                "HANDOFF_HTTP_PORT": str(self.ports[member.service.name]),
                "HANDOFF_HTTP_FD": str(descriptor),
            }
        return Spec(
            name=member.name,
            command=_command(member.service, member.role),
            environment=settings,
            ready=partial(has_come_up, member.operations_url),
            alive=partial(is_alive, member.operations_url),
            silence=_silence(environ),
            inherited=(descriptor,) if member.role == "api" else (),
        )

    def _auditor(self, environ: Mapping[str, str]) -> Spec:
        databases = {
            variable(DATABASE, service): self.database_url(service, OPERATIONS)
            for service in SERVICES
        }
        settings = self._common(AUDITOR, environ) | databases | _listens(self.auditor_port)
        return Spec(
            name=AUDITOR,
            command=(sys.executable, "-m", "handoff", "operations"),
            environment=settings,
            ready=partial(has_come_up, self.auditor_url),
            alive=partial(is_alive, self.auditor_url),
            silence=_silence(environ),
        )

    def _environment(
        self, service: Service, instance: str, environ: Mapping[str, str]
    ) -> dict[str, str]:
        return self._common(instance, environ) | {
            "HANDOFF_DATABASE_URL": self.database_url(service, service.database),
            "HANDOFF_ERASURE_SECRET": self.secrets[ERASURE],
        }

    def _common(self, instance: str, environ: Mapping[str, str]) -> dict[str, str]:
        given = {"HANDOFF_LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1"} | dict(environ)
        return given | {
            "HANDOFF_KAFKA_BOOTSTRAP": self.stack.kafka.bootstrap,
            "HANDOFF_KAFKA_REPLICATION": "1",
            "HANDOFF_TOPIC_PREFIX": environ.get("HANDOFF_TOPIC_PREFIX", ""),
            "HANDOFF_INSTANCE": instance,
        }


def plan_fleet(
    stack: EmbeddedStack,
    *,
    ports: Ports,
    secrets: Mapping[str, str],
    replicas: Mapping[str, int],
) -> Fleet:
    """Choose all ports; the APIs' are held from here on, until `Fleet.close`."""
    listeners = {service.name: ports.open(service.name, service.port) for service in SERVICES}
    return Fleet(
        members=tuple(_members(ports, replicas, {})),
        auditor_port=ports.claim(AUDITOR, _OPERATIONS_PORT),
        listeners=listeners,
        ports={name: listener.getsockname()[1] for name, listener in listeners.items()},
        stack=stack,
        secrets=secrets,
    )


def resized(fleet: Fleet, *, ports: Ports, replicas: Mapping[str, int]) -> Fleet:
    """Return the fleet with other numbers of processes; those that stay keep their ports."""
    known = {member.name: member for member in fleet.members}
    return replace(fleet, members=tuple(_members(ports, replicas, known)))


def secret_names() -> tuple[str, ...]:
    """Return the names of all secrets that a fleet needs."""
    return ("postgres", OPERATIONS, ERASURE, *(service.database for service in SERVICES))


def _members(
    ports: Ports, replicas: Mapping[str, int], known: Mapping[str, Member]
) -> Iterator[Member]:
    for service in SERVICES:
        for role in ROLES:
            for number in range(replicas.get(service.name, 1)):
                name = f"{service.name}-{role}-{number}"
                yield known.get(name) or Member(
                    service, role, number, ports.claim(f"{name}-operations", _OPERATIONS_PORT)
                )


def _silence(environ: Mapping[str, str]) -> float:
    return float(environ.get("HANDOFF_SILENCE_SECONDS", limits.HEARTBEAT_SILENCE))


def _command(service: Service, role: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"{service.package}.{role}")


def _listens(operations_port: int) -> dict[str, str]:
    return {
        "HANDOFF_OPERATIONS_HOST": LOOPBACK,
        "HANDOFF_OPERATIONS_PORT": str(operations_port),
    }
