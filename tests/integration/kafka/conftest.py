"""Kafka of the tests' own, which may be frozen and killed, with all topics made."""

from collections.abc import AsyncGenerator

import pytest
from tests.stack.own_kafka import OwnKafka, own_kafka

from shared.kafka import topics
from shared.settings import KafkaSettings


@pytest.fixture(scope="module")
async def own(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[OwnKafka]:
    async with own_kafka(tmp_path_factory.mktemp("kafka")) as node:
        yield node


@pytest.fixture(scope="module")
async def settings(own: OwnKafka) -> KafkaSettings:
    settings = KafkaSettings(
        kafka_bootstrap=own.bootstrap, kafka_replication=1, instance="a-test", session_seconds=6
    )
    await topics.apply(settings)
    return settings
