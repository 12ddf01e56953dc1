"""The password of a Kafka user is changed while its clients run: they connect anew with the new."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.stack.secured import Authority, Broker, secured_kafka

from shared.files import SecretFile
from shared.kafka import client, topics
from shared.kafka.port import Member, Sender
from shared.settings import KafkaSettings

USER, GROUP, TOPIC = "anna", "a-group", "handoff.tasks.v1"


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Broker]:
    directory = tmp_path_factory.mktemp("kafka")
    authority = Authority.made(directory / "authority")
    async with secured_kafka(directory / "node", authority, [USER]) as broker:
        await topics.apply(broker.open)
        broker.grant(USER, "--operation=All", "--topic=*", "--group=*", "--cluster")
        yield broker


@dataclass
class Clients:
    """A producer and a member that run on while the world changes."""

    producer: Sender
    member: Member
    heard: list[bytes | None]

    def cut(self) -> None:
        """Close all their connections, as a broker that restarts does."""
        clients: list[Any] = [self.producer, self.member]
        for inside in (clients[0].client, clients[1]._client):  # noqa: SLF001
            for connection in list(inside._conns.values()):  # noqa: SLF001
                connection.close()

    async def pass_on(self, value: bytes) -> None:
        """Send a record and hear it."""
        async with asyncio.timeout(60):
            await (await self.producer.send(TOPIC, key=b"k", value=value, headers=[]))
            while value not in self.heard:
                polled = await client.poll(self.member, seconds=1, most=10) or {}
                self.heard += [record.value for some in polled.values() for record in some]


@asynccontextmanager
async def running(settings: KafkaSettings) -> AsyncGenerator[Clients]:
    producer = client.producer(settings)
    member = client.consumer(settings, group=GROUP, topics=[TOPIC])
    await client.start(producer)
    await client.start(member)
    try:
        yield Clients(producer, member, [])
    finally:
        await client.stop(producer)
        await client.stop(member)


@pytest.mark.timeout(120)
async def test_clients_that_run_on_connect_anew_with_the_password_of_the_file(
    broker: Broker, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(f"{broker.passwords[USER]}\n")
    async with running(broker.settings(USER, kafka_password=SecretFile(file))) as clients:
        await clients.pass_on(b"with the first")
        await asyncio.to_thread(broker.change_password, USER, "a-second-one")
        await clients.pass_on(b"on connections that live on")
        file.write_text("a-second-one\n")
        clients.cut()
        await clients.pass_on(b"with the second")

    assert len(clients.heard) == 3
