"""The whole system on this machine: brings it up in order, writes down what runs, takes it down.

What is shown meanwhile is the commands' matter: `step` is entered around whatever takes time.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from handoff.embedded.databases import OPERATIONS, make_databases
from handoff.embedded.ports import Ports
from handoff.embedded.stack import READY_WITHIN, plan_stack
from handoff.fleet import AUDITOR, Fleet, plan_fleet, resized, secret_names
from handoff.layout import Layout
from handoff.secret_file import keep_secrets
from handoff.services import DATABASES, SERVICES, Service
from handoff.state import (
    KafkaState,
    Phase,
    PostgresState,
    ProcessState,
    ServiceState,
    SystemState,
    write_state,
)
from handoff.supervisor.logs import keep_small
from handoff.supervisor.process import Process
from handoff.supervisor.supervisor import Supervisor
from shared.kafka import topics
from shared.settings import KafkaSettings

Step = Callable[[str], AbstractContextManager[None]]
_MIGRATED_WITHIN = 3600.0  # as the Job of a cluster: an index on many rows takes its time


class System:
    """Postgres, Kafka and the services as one thing; whoever makes it holds the installation."""

    def __init__(
        self,
        layout: Layout,
        fleet: Fleet,
        environ: Mapping[str, str],
        *,
        restarted: Callable[[str], None],
    ) -> None:
        """Take note of what to run; `restarted` is told the name of each process that died."""
        self._layout = layout
        self._fleet = fleet
        self._environ = environ
        self._restarted = restarted
        self._phase: Phase = "starting"
        self._supervisor = Supervisor(layout.logs, changed=self._note)
        self._tidying: asyncio.Task[None] | None = None

    async def begin(self, step: Step) -> None:
        """Start everything in order; `end` is to be called whether it came up or not.

        Raises:
            ToolFailed: a data directory was not made.
            NotReady, JobFailed: a program did not start, or ended badly.
        """
        self._write()
        self._tidying = asyncio.create_task(keep_small(self._layout.logs))
        stack = self._fleet.stack
        with step("Starting Postgres and Kafka"):
            await stack.prepare()
            await self._supervisor.start(stack.specs(self._environ), limit=READY_WITHIN)
        with step("Migrating the databases, making the topics"):
            await make_databases(stack.postgres.url, DATABASES, self._fleet.secrets)
            await self._supervisor.run(
                self._fleet.migrations(self._environ), limit=_MIGRATED_WITHIN
            )
            await topics.apply(self.kafka_settings())
        with step("Starting the services"):
            await self._supervisor.start(self._fleet.specs(self._environ), limit=READY_WITHIN)

    async def scale(self, replicas: Mapping[str, int]) -> None:
        """Run so many api and worker processes of each service from now on; all others go on.

        Raises:
            NotReady: one that is new did not come up; it goes on trying.
        """
        before = {member.name for member in self._fleet.members}
        ports = Ports(self._layout.ports)
        fleet = resized(self._fleet, ports=ports, replicas=replicas)
        wanted = {member.name for member in fleet.members}
        new = [spec for spec in fleet.specs(self._environ) if spec.name in wanted - before]
        await self._supervisor.drop(before - wanted)
        self._fleet = fleet
        await self._supervisor.start(new, limit=READY_WITHIN)
        self._write()

    async def end(self) -> None:
        """Stop everything that was started, in reverse."""
        self._phase = "stopping"
        self._write()
        if self._tidying is not None:
            self._tidying.cancel()
        self._fleet.close()
        await self._supervisor.stop()
        self._layout.state.unlink(missing_ok=True)

    def mark_running(self) -> None:
        """Tell the other commands that all is up."""
        self._phase = "running"
        self._write()

    def kafka_settings(self) -> KafkaSettings:
        """Return where the brokers are."""
        return embedded_kafka_settings(self._fleet.stack.kafka.bootstrap)

    def state(self) -> SystemState:
        """Return what runs now."""
        running = {process.spec.name: process for process in self._supervisor.processes}
        return describe(self._fleet, self._phase, running)

    def _note(self, process: Process) -> None:
        if process.restarts and process.pid:
            self._restarted(process.spec.name)
        self._write()

    def _write(self) -> None:
        write_state(self._layout, self.state())


def embedded_kafka_settings(bootstrap: str) -> KafkaSettings:
    """Return the settings of a client of the embedded Kafka: one node, so one copy."""
    return KafkaSettings(kafka_bootstrap=bootstrap, kafka_replication=1)


def plan_system(layout: Layout, environ: Mapping[str, str], replicas: Mapping[str, int]) -> Fleet:
    """Find what the machine has, get Kafka's jars, choose ports.

    Raises:
        Missing: the machine lacks something.
        ToolFailed: Maven did not get the jars.
    """
    ports = Ports(layout.ports)
    secrets = keep_secrets(layout.secrets, secret_names())
    stack = plan_stack(layout, environ, ports=ports, password=secrets["postgres"])
    return plan_fleet(stack, ports=ports, secrets=secrets, replicas=replicas)


def describe(fleet: Fleet, phase: Phase, running: Mapping[str, Process]) -> SystemState:
    """Put together what the other commands are to know."""
    postgres, kafka = running.get("postgres"), running.get("kafka")
    return SystemState(
        state=phase,
        services={service.name: _describe_service(fleet, service, running) for service in SERVICES},
        operations=_describe(AUDITOR, "audit", fleet.auditor_url, running),
        kafka=KafkaState(
            bootstrap=fleet.stack.kafka.bootstrap,
            pid=kafka.pid if kafka else None,
            restarts=kafka.restarts if kafka else 0,
        ),
        postgres=PostgresState(
            pid=postgres.pid if postgres else None,
            restarts=postgres.restarts if postgres else 0,
        ),
    )


def _describe_service(
    fleet: Fleet, service: Service, running: Mapping[str, Process]
) -> ServiceState:
    members = [member for member in fleet.members if member.service == service]
    return ServiceState(
        url=fleet.url(service),
        operations_url=members[0].operations_url,
        database=fleet.database_url(service, service.database),
        operations_database=fleet.database_url(service, OPERATIONS),
        processes=[
            process
            for member in members
            if (process := _describe(member.name, member.role, member.operations_url, running))
        ],
    )


def _describe(
    name: str, role: str, operations_url: str, running: Mapping[str, Process]
) -> ProcessState | None:
    process = running.get(name)
    if process is None:
        return None
    return ProcessState(
        name=name,
        role=role,
        pid=process.pid,
        restarts=process.restarts,
        operations_url=operations_url,
    )
