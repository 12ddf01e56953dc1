"""The tests' Postgres and Kafka as containers; the keeper that starts them also ends them."""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
from aiokafka.errors import KafkaError
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network
from tests.stack.engine import KAFKA_IMAGE, POSTGRES_IMAGE

from handoff.embedded.ports import LOOPBACK, Ports
from handoff.embedded.stack import READY_WITHIN
from shared.kafka.admin import administrator
from shared.settings import KafkaSettings

# The keeper removes its containers; the reaper would be one more image.
os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"
# What is published can be reached from here alone.
_TO_THIS_MACHINE = {"options": {"com.docker.network.bridge.host_binding_ipv4": LOOPBACK}}


@asynccontextmanager
async def containers(ports: Ports, password: str) -> AsyncGenerator[tuple[str, str]]:
    """Run both; give the administrator's URL and Kafka's bootstrap address."""
    postgres_port, kafka_port = ports.claim("postgres", 15432), ports.claim("kafka", 19092)
    url = f"postgresql://postgres:{password}@{LOOPBACK}:{postgres_port}/postgres"
    with Network(docker_network_kw=_TO_THIS_MACHINE) as network:
        async with _running(
            _postgres(postgres_port, password).with_network(network),
            _kafka(kafka_port).with_network(network),
        ):
            await _eventually(lambda: _connect(url))
            await _eventually(lambda: _ask(f"{LOOPBACK}:{kafka_port}"))
            yield url, f"{LOOPBACK}:{kafka_port}"


@asynccontextmanager
async def _running(*these: DockerContainer) -> AsyncGenerator[None]:
    try:
        await asyncio.gather(*(asyncio.to_thread(each.start) for each in these))
        yield
    finally:
        await asyncio.gather(*(asyncio.to_thread(each.stop) for each in these))


async def _eventually(ask: Callable[[], Awaitable[None]]) -> None:
    """Wait for an answer: a container that was started listens before what is in it is ready."""
    async with asyncio.timeout(READY_WITHIN):
        while True:
            try:
                return await ask()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, KafkaError):
                await asyncio.sleep(0.2)


async def _connect(url: str) -> None:
    await (await asyncpg.connect(url, ssl=False)).close()


async def _ask(bootstrap: str) -> None:
    async with administrator(KafkaSettings(kafka_bootstrap=bootstrap, kafka_replication=1)):
        pass


def _postgres(port: int, password: str) -> DockerContainer:
    container = DockerContainer(POSTGRES_IMAGE).with_bind_ports(5432, port)
    return (
        container.with_env("POSTGRES_PASSWORD", password)
        .with_tmpfs_mount("/var/lib/postgresql")
        .with_command("postgres -c max_connections=400")
    )


def _kafka(port: int) -> DockerContainer:
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, port)
    settings = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{LOOPBACK}:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "PLAINTEXT",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }
    for name, value in settings.items():
        container = container.with_env(name, value)
    return container
