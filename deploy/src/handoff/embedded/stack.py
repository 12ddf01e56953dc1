"""The embedded PostgreSQL and Kafka as a pair: planned, prepared, and what the supervisor runs."""

import asyncio
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from handoff.embedded.jars import ensure_jars
from handoff.embedded.kafka import KafkaNode
from handoff.embedded.machine import find_java, find_postgres, unprivileged_account
from handoff.embedded.ports import Ports
from handoff.embedded.postgres import PostgresServer, can_enter
from handoff.layout import Layout
from handoff.supervisor.spec import Account, Spec

READY_WITHIN = 90.0
_POSTGRES_PORT = 15432
_KAFKA_PORT = 19092
_CONTROLLER_PORT = 19192
_FOR_ALL = Path("/var/tmp")  # noqa: S108  kept over a reboot, and our directory in it is checked


@dataclass(frozen=True, slots=True)
class EmbeddedStack:
    """A PostgreSQL server and a Kafka node of this machine."""

    postgres: PostgresServer
    kafka: KafkaNode

    async def prepare(self) -> None:
        """Make both data directories if need be; takes seconds the first time."""
        await asyncio.gather(
            asyncio.to_thread(self.postgres.prepare), asyncio.to_thread(self.kafka.prepare)
        )

    def specs(self, environment: Mapping[str, str]) -> list[Spec]:
        """Return what to run, once prepared."""
        return [self.postgres.spec(environment), self.kafka.spec(environment)]


def plan_stack(
    layout: Layout,
    environ: Mapping[str, str],
    *,
    ports: Ports,
    password: str,
    durable: bool = True,
) -> EmbeddedStack:
    """Find the programs, get Kafka's jars, and choose ports and directories.

    Raises:
        Missing: the machine lacks something.
        ToolFailed: Maven did not get the jars.
    """
    programs, account = find_postgres(environ), unprivileged_account()
    postgres = PostgresServer(
        programs=programs,
        settings=layout.postgres_settings,
        data=postgres_home(layout.run, account) / "data",
        port=ports.claim("postgres", _POSTGRES_PORT),
        password=password,
        account=account,
        durable=durable,
    )
    kafka = KafkaNode(
        java=find_java(environ),
        jars=ensure_jars(layout.kafka_pom, environ),
        template=layout.kafka_template,
        directory=layout.run / "kafka",
        port=ports.claim("kafka", _KAFKA_PORT),
        controller_port=ports.claim("kafka-controller", _CONTROLLER_PORT),
    )
    return EmbeddedStack(postgres=postgres, kafka=kafka)


def postgres_home(run: Path, account: Account | None) -> Path:
    """Return a directory for PostgreSQL's data that its account can enter.

    That is `run/postgres`; where the account cannot get there, a directory of the machine's that
    `run/postgres` then points to.
    """
    home = run / "postgres"
    run.mkdir(parents=True, exist_ok=True)
    if account is not None and not can_enter(run, account) and not home.is_symlink():
        home.symlink_to(_home_outside(run))
    home.mkdir(parents=True, exist_ok=True)
    return home.resolve()


def _home_outside(run: Path) -> Path:
    name = hashlib.sha256(str(run.resolve()).encode()).hexdigest()[:12]
    outside = _FOR_ALL / f"handoff-{name}"
    outside.mkdir(mode=0o711, exist_ok=True)
    if outside.stat().st_uid != os.geteuid():
        raise PermissionError(f"{outside} belongs to somebody else; remove it")
    return outside
