"""A broker that stands still keeps nobody from the others, and is waited for once."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable
from typing import Any

import pytest
from aiokafka.client import ConnectionGroup
from aiokafka.structs import BrokerMetadata

from shared.kafka import client
from shared.settings import KafkaSettings

SILENT = 99


async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


@pytest.fixture
async def inside(settings: KafkaSettings) -> AsyncGenerator[Any]:
    """A producer's connections; it knows of a further broker, which takes them and is silent."""
    producer: Any = client.producer(settings)
    await client.start(producer)
    async with await asyncio.start_server(says_nothing, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        broker = BrokerMetadata(SILENT, host, port, None)
        producer.client.cluster._bootstrap_brokers[SILENT] = broker  # noqa: SLF001  a broker more
        yield producer.client
        await client.stop(producer)


async def took(work: Awaitable[object]) -> float:
    began = time.monotonic()
    await work
    return time.monotonic() - began


async def test_a_broker_that_stands_still_keeps_nobody_from_another(inside: Any) -> None:
    (other,) = [broker.nodeId for broker in inside.cluster.brokers()]
    waiting = asyncio.create_task(inside.ready(SILENT))
    await asyncio.sleep(0)
    connected = await inside.ready(other, group=ConnectionGroup.COORDINATION)
    waits = not waiting.done()
    await waiting

    assert (connected, waits) == (True, True)


async def test_several_who_ask_for_a_broker_that_stands_still_wait_as_long_as_one(
    inside: Any,
) -> None:
    one = await took(inside.ready(SILENT))
    several = await took(asyncio.gather(*(inside.ready(SILENT) for _ in range(4))))

    assert several < 2 * one
