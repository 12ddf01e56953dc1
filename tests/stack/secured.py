"""Postgres and Kafka as a cluster has them: certificates of an authority, users, and no strangers.

Made for a block, with `trustme`'s authority of this run; nothing of it is trusted elsewhere.
"""

import asyncio
import base64
import os
import secrets
import shutil
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from string import Template
from typing import Any

import asyncpg
import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from tests.stack import running
from tests.stack.ports import free_port
from tests.stack.process import Process
from tests.stack.running import Stack

from handoff.embedded.databases import make_databases
from handoff.embedded.jars import ensure_jars
from handoff.embedded.kafka import KafkaNode
from handoff.embedded.machine import find_java, find_postgres, unprivileged_account
from handoff.embedded.postgres import PostgresServer
from handoff.embedded.stack import READY_WITHIN, postgres_home
from handoff.embedded.tool import run_tool
from handoff.layout import Layout
from handoff.services import DATABASES
from handoff.supervisor.supervisor import Supervisor
from shared.files import Trust
from shared.settings import KafkaSettings

_ROOT = Path(__file__).resolve().parents[2]
_TEMPLATE = Path(__file__).with_name("secured.properties")
_HOST = "127.0.0.1"
_ONLY_TLS = "hostssl all all 127.0.0.1/32 scram-sha-256\n"
_TLS = "\nssl = on\nssl_cert_file = 'server.pem'\nssl_key_file = 'server.pem'\n"
_ACLS = "org.apache.kafka.tools.AclCommand"
_CONFIGS = "kafka.admin.ConfigCommand"


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs certificates; `path` is the PEM file that clients trust."""

    signer: trustme.CA
    path: Path

    @classmethod
    def made(cls, directory: Path) -> "Authority":
        """Make one."""
        directory.mkdir(parents=True, exist_ok=True)
        signer = trustme.CA()
        path = directory / "authority.pem"
        signer.cert_pem.write_to_path(path)
        return cls(signer, path)

    def certify(self, path: Path, host: str = _HOST) -> Path:
        """Write a key with its certificates, for a server of that host.

        The key is in PKCS #8, the one form that both Java and OpenSSL read.
        """
        made = self.signer.issue_cert(host)
        key = load_pem_private_key(made.private_key_pem.bytes(), password=None)
        chain = b"".join(blob.bytes() for blob in made.cert_chain_pems)
        path.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + chain
        )
        return path


@asynccontextmanager
async def secured_postgres(
    stack: Stack, authority: Authority, *, host: str = _HOST
) -> AsyncGenerator[Stack]:
    """Run a server that takes TLS alone, with a certificate for `host`."""
    directory, account = running.make_directory(), unprivileged_account()
    layout = Layout(root=_ROOT, run=directory)
    settings = directory / "secured.conf"
    settings.write_text(layout.postgres_settings.read_text() + _TLS)
    postgres = PostgresServer(
        programs=find_postgres(os.environ),
        settings=settings,
        data=postgres_home(directory, account) / "data",
        port=free_port(),
        password=stack.passwords["postgres"],
        account=account,
        durable=False,
    )
    await asyncio.to_thread(postgres.prepare)
    key = authority.certify(postgres.data / "server.pem", host)
    key.chmod(0o600)
    if account:
        os.chown(key, account.uid, account.gid)
    supervisor = Supervisor(layout.logs)
    try:
        await supervisor.start([postgres.spec(os.environ)], limit=READY_WITHIN)
        await make_databases(postgres.url, DATABASES, stack.passwords)
        await _refuse_bare_connections(postgres)
        yield replace(stack, postgres_url=postgres.url, directory=directory)
    finally:
        await supervisor.stop()
        await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)


async def exchange_certificate(secured: Stack, old: Authority, new: Authority) -> None:
    """Give a server another certificate, of another authority; who comes in a moment sees it."""
    connection = await asyncpg.connect(secured.postgres_url, ssl=Trust(old.path))
    home = postgres_home(secured.directory, unprivileged_account())
    new.certify(home / "data" / "server.pem")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


async def _refuse_bare_connections(postgres: PostgresServer) -> None:
    connection = await asyncpg.connect(postgres.url, ssl=False)
    (postgres.data / "pg_hba.conf").write_text(_ONLY_TLS)
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


@dataclass(frozen=True, slots=True)
class Broker:
    """A node that asks who comes, by TLS, and lets each do what it was granted.

    `open` is how the test itself, who may do everything, finds it.
    """

    node: KafkaNode
    port: int
    authority: Authority
    passwords: Mapping[str, str]

    @property
    def open(self) -> KafkaSettings:
        """Return the settings of who may do everything."""
        return KafkaSettings(kafka_bootstrap=self.node.bootstrap, kafka_replication=1)

    def settings(self, user: str, **others: Any) -> KafkaSettings:
        """Return the settings of a user, some of them otherwise."""
        told: dict[str, Any] = {
            "kafka_bootstrap": f"{_HOST}:{self.port}",
            "kafka_replication": 1,
            "kafka_ca": self.authority.path,
            "kafka_user": user,
            "kafka_password": self.passwords[user],
            "instance": user,
        }
        return KafkaSettings(**{**told, **others})

    def grant(self, user: str, *rights: str) -> None:
        """Let a user do something, in the words of `kafka-acls`."""
        self._tool(_ACLS, "--add", f"--allow-principal=User:{user}", *rights)

    def change_password(self, user: str, password: str) -> None:
        """Have the broker ask for another one, in the words of `kafka-configs`."""
        secret = f"SCRAM-SHA-512=[password={password}]"
        whose = ("--entity-type=users", f"--entity-name={user}")
        self._tool(_CONFIGS, "--alter", *whose, f"--add-config={secret}")

    def _tool(self, name: str, *words: str) -> None:
        java = self.node.spec({}).command[:-2]
        run_tool(*java, name, "--bootstrap-server", self.node.bootstrap, *words)


@asynccontextmanager
async def secured_kafka(
    directory: Path, authority: Authority, users: Sequence[str]
) -> AsyncGenerator[Broker]:
    """Run a broker that knows these users, none of whom may do anything yet."""
    node = KafkaNode(
        java=find_java(os.environ),
        jars=ensure_jars(Layout(root=_ROOT, run=directory).kafka_pom, os.environ),
        template=_TEMPLATE,
        directory=directory,
        port=free_port(),
        controller_port=free_port(),
        heap="256m",  # for a machine that many share
    )
    passwords = {user: secrets.token_urlsafe(16) for user in users}
    broker = Broker(node, free_port(), authority, passwords)
    await asyncio.to_thread(_format, broker)
    process = Process(
        name="kafka",
        command=node.spec({}).command,
        environment=os.environ,
        url="",
        operations_url="",
        log=directory / "kafka.log",
    )
    try:
        process.start()
        async with asyncio.timeout(READY_WITHIN):
            while not await node.is_ready():
                await asyncio.sleep(0.1)
        yield broker
    finally:
        await process.die()


def _format(broker: Broker) -> None:
    node = broker.node
    (node.directory / "data").mkdir(parents=True)
    certificate = broker.authority.certify(node.directory / "broker.pem")
    *java, _broker, properties = node.spec({}).command
    text = Template(_TEMPLATE.read_text()).substitute(
        node_id=node.node_id, port=node.port, controller_port=node.controller_port,
        secured_port=broker.port, certificate=certificate, data=node.directory / "data",
    )  # fmt: skip
    Path(properties).write_text(text)
    cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    users = [
        f"--add-scram=SCRAM-SHA-512=[name={user},password={password}]"
        for user, password in broker.passwords.items()
    ]
    tool = ("kafka.tools.StorageTool", "format", "--standalone", f"-t={cluster}", *users)
    run_tool(*java, *tool, f"-c={properties}")
