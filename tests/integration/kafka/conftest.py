"""Kafka of the tests' own, which may be frozen and killed, with all topics made."""

import pytest
from tests.stack.nodes import Node

from shared.kafka import topics
from shared.settings import KafkaSettings


@pytest.fixture(scope="module")
async def settings(own: Node) -> KafkaSettings:
    settings = KafkaSettings(
        kafka_bootstrap=own.kafka.bootstrap,
        kafka_replication=1,
        instance="a-test",
        session_seconds=6,
    )
    await topics.apply(settings)
    return settings
