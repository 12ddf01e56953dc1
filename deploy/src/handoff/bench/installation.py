"""An installation of the benchmark's own: Postgres, Kafka and services in one directory.

Begun with the run and gone with it, however it ends. Nothing of another installation is touched:
its ports, its databases, its topics and its directory are others.
"""

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncpg
import psutil
from asyncpg import Connection

from handoff.bench.sampling import Watcher
from handoff.embedded.databases import OPERATIONS, make_databases
from handoff.embedded.machine import unprivileged_account
from handoff.embedded.ports import Ports
from handoff.embedded.postgres import can_enter
from handoff.embedded.stack import READY_WITHIN
from handoff.fleet import AUDITOR, Fleet
from handoff.layout import Layout
from handoff.services import DATABASES, ROLES, SERVICES
from handoff.site import Site
from handoff.supervisor.process import Process
from handoff.supervisor.spec import Spec
from handoff.supervisor.supervisor import Supervisor
from handoff.system import embedded_kafka_settings, plan_system
from shared.kafka import topics
from shared.settings import KafkaSettings

USUAL_PLACE = Path("/var/tmp")  # noqa: S108  on a disk, unlike /tmp; a directory of our own in it
STATEMENTS = "pg_stat_statements"
_PORTS = range(21_000, 29_000, 40)
_MIGRATED_WITHIN = 120.0
_GIGABYTE = 1024**3
_SETTINGS = """
# The benchmark's own: no checkpoint while it measures, and what it reads afterwards.
shared_buffers = {buffers}
max_wal_size = 8GB
checkpoint_timeout = 30min
track_commit_timestamp = on
shared_preload_libraries = '{libraries}'
"""


class Unfit(Exception):
    """The benchmark cannot be run here; the text says why and what to do."""


class Died(Exception):
    """A process ended while it was measured; the text names it."""


@dataclass
class Installation:
    """Everything that is measured, as processes by name."""

    layout: Layout
    fleet: Fleet
    environ: Mapping[str, str]
    prefix: str = ""
    running: dict[str, Process] = field(default_factory=dict[str, Process])
    _supervisor: Supervisor = field(init=False)

    def __post_init__(self) -> None:
        """Be ready to start."""
        self._supervisor = Supervisor(self.layout.logs)

    @property
    def site(self) -> Site:
        """Where the services are."""
        return Site(
            {each.name: self.fleet.database_url(each, OPERATIONS) for each in SERVICES},
            {each.name: self.fleet.url(each) for each in SERVICES},
            self.kafka,
        )

    @property
    def kafka(self) -> KafkaSettings:
        """Where Kafka is, and how this run's topics begin."""
        settings = embedded_kafka_settings(self.fleet.stack.kafka.bootstrap)
        return settings.model_copy(update={"topic_prefix": self.prefix})

    @property
    def counts_statements(self) -> bool:
        """Whether Postgres counts statements here."""
        return _counts_statements(self.fleet.stack.postgres.programs)

    def trees(self) -> dict[str, int]:
        """Return the process ids of all that runs."""
        all_of_it = {each.spec.name: each for each in self._supervisor.processes} | self.running
        return {name: each.pid for name, each in all_of_it.items() if each.pid is not None}

    def database_url(self, database: str) -> str:
        """Return a database's address, as the administrator."""
        return f"{self.fleet.stack.postgres.url.rpartition('/')[0]}/{database}"

    @asynccontextmanager
    async def opened(self, database: str = "postgres") -> AsyncGenerator[Connection]:
        """Open a database for the block, as the administrator."""
        connection = await asyncpg.connect(self.database_url(database), ssl=False)
        try:
            yield connection
        finally:
            await connection.close()

    async def begin(self) -> None:
        """Start Postgres and Kafka."""
        stack = self.fleet.stack
        await stack.prepare()
        await self._supervisor.start(stack.specs(self.environ), limit=READY_WITHIN)
        if self.counts_statements:
            async with self.opened() as administrator:
                await administrator.execute(f"CREATE EXTENSION IF NOT EXISTS {STATEMENTS}")

    async def renew(self, name: str) -> None:
        """Make all databases anew, and topics that nothing was ever sent to."""
        self.prefix = f"{name}."
        self.environ = {**self.environ, "HANDOFF_TOPIC_PREFIX": self.prefix}
        async with self.opened() as administrator:
            for database in DATABASES:
                await administrator.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        await make_databases(self.fleet.stack.postgres.url, DATABASES, self.fleet.secrets)
        await self._supervisor.run(self.fleet.migrations(self.environ), limit=_MIGRATED_WITHIN)
        await topics.apply(self.kafka)

    def specs(self, *roles: str, of: str = "") -> list[Spec]:
        """Return the processes of these roles, of one service or of all; the auditor is none."""
        wanted = {m.name for m in self.fleet.members if m.role in roles and of in m.service.name}
        return [spec for spec in self.fleet.specs(self.environ) if spec.name in wanted]

    @asynccontextmanager
    async def having(self, *specs: Spec) -> AsyncGenerator[None]:
        """Run processes for the block; nobody asks them meanwhile whether they live.

        Raises:
            Died: one of them did not live through it.
        """
        ours = [
            Process(replace(spec, alive=None), self.layout.logs, lambda _: None) for spec in specs
        ]
        self.running |= {process.spec.name: process for process in ours}
        try:
            for process in ours:
                process.start()
            await asyncio.gather(*(process.until_ready(READY_WITHIN) for process in ours))
            yield
            if dead := [process.spec.name for process in ours if process.restarts]:
                raise Died(f"{', '.join(dead)} ended while it was measured; nothing of it counts")
        finally:
            await asyncio.gather(*(process.stop() for process in ours))
            self.running = {n: p for n, p in self.running.items() if p not in ours}

    async def settle(self) -> None:
        """Write out what waits to be written, so that no sample pays for the one before."""
        async with self.opened() as administrator:
            await administrator.execute("CHECKPOINT")

    async def end(self) -> None:
        """Stop everything."""
        self.fleet.close()
        await self._supervisor.stop()


@asynccontextmanager
async def installed(
    root: Path, place: Path, environ: Mapping[str, str], watcher: Watcher
) -> AsyncGenerator[Installation]:
    """Have an installation for the block, in a directory below `place` that goes with it.

    Raises:
        Missing, ToolFailed, PortsInUse, NotReady, JobFailed: this machine lacks something.
        Unfit: the directory cannot be used.
    """
    directory = _make_directory(place)
    try:
        watcher.doing("Finding Postgres, Java and Kafka's jars")
        installation = await asyncio.to_thread(_plan, Layout(root, directory), environ)
        try:
            watcher.doing("Starting a Postgres and a Kafka of its own")
            await installation.begin()
            yield installation
        finally:
            await installation.end()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _make_directory(place: Path) -> Path:
    try:
        directory = Path(tempfile.mkdtemp(prefix="handoff-bench-", dir=place)).resolve()
    except OSError as error:
        raise Unfit(f"No directory can be made in {place}: {error.strerror}.") from None
    directory.chmod(0o711)
    account = unprivileged_account()
    if account is not None and not can_enter(directory, account):
        directory.rmdir()
        raise Unfit(f"Postgres runs as {account.name} here, who may not enter {place}.")
    return directory


def _plan(layout: Layout, environ: Mapping[str, str]) -> Installation:
    _claim_ports(layout)
    quiet = {"HANDOFF_LOG_LEVEL": "warning"} | dict(environ)
    fleet = plan_system(layout, environ, {})
    settings = layout.run / "postgresql.conf"
    settings.write_text(layout.postgres_settings.read_text() + _settings(fleet))
    postgres = replace(fleet.stack.postgres, settings=settings)
    own = replace(fleet, stack=replace(fleet.stack, postgres=postgres))
    return Installation(layout, own, quiet)


def _claim_ports(layout: Layout) -> None:
    """Prefer other ports than a usual installation, which would have to move from its own.

    By chance, for runs side by side: what is claimed is free until it is listened on.
    """
    first = secrets.choice(_PORTS)
    ports = Ports(layout.ports)
    services = [service.name for service in SERVICES]
    operations = [f"{name}-{role}-0-operations" for name in services for role in ROLES]
    for name in ("postgres", "kafka", "kafka-controller", AUDITOR, *services, *operations):
        ports.claim(name, first)


def _settings(fleet: Fleet) -> str:
    memory = psutil.virtual_memory().total
    return _SETTINGS.format(
        buffers="2GB" if memory >= 8 * _GIGABYTE else "256MB",
        libraries=STATEMENTS if _counts_statements(fleet.stack.postgres.programs) else "",
    )


def _counts_statements(programs: Path) -> bool:
    places = (programs.parent / "lib", programs.parent / "lib" / "postgresql")
    return any((place / f"{STATEMENTS}.so").exists() for place in places)
