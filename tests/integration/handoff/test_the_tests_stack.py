"""The stack that all other tests stand on."""

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from tests.stack import engine
from tests.stack.running import Stack

from shared.contracts.catalogue import TOPICS
from shared.kafka import topics
from shared.settings import KafkaSettings


async def test_postgres_is_durable_and_belongs_to_the_services(stack: Stack) -> None:
    connection = await asyncpg.connect(stack.postgres_url)
    fsync = await connection.fetchval("SHOW fsync")
    owners = await connection.fetch(
        "SELECT datname, pg_get_userbyid(datdba) AS owner"
        " FROM pg_database WHERE datname = 'notifier'"
    )
    await connection.close()

    assert fsync == "on"
    assert [(row["datname"], row["owner"]) for row in owners] == [("notifier", "notifier")]


async def test_a_service_cannot_enter_another_ones_database(stack: Stack) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(stack.url("notifier", "lead_scoring"))


async def test_operations_may_enter_every_database(stack: Stack) -> None:
    connection = await asyncpg.connect(stack.url("operations", "lead_scoring"))
    answer = await connection.fetchval("SELECT current_user")
    await connection.close()

    assert answer == "operations"


async def test_what_is_sent_to_a_topic_of_the_catalogue_is_read_back(
    kafka_settings: KafkaSettings,
) -> None:
    topic = topics.physical(kafka_settings, TOPICS[0].name)
    producer = AIOKafkaProducer(bootstrap_servers=kafka_settings.kafka_bootstrap, acks="all")
    await producer.start()
    await producer.send_and_wait(topic, b"hello", key=b"k")
    await producer.stop()
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=kafka_settings.kafka_bootstrap,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    record = await consumer.getone()
    await consumer.stop()

    assert (record.key, record.value) == (b"k", b"hello")


async def test_topics_of_the_catalogue_are_as_they_should_be(kafka_settings: KafkaSettings) -> None:
    assert await topics.check(kafka_settings) == []


def test_who_insists_on_containers_is_told_where_there_are_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")
    monkeypatch.setenv("HANDOFF_STACK", "containers")

    with pytest.raises(RuntimeError, match=f"no Docker engine has {engine.POSTGRES_IMAGE}"):
        engine.chosen()


@pytest.mark.parametrize("said", ["embedded", None])
def test_without_an_engine_the_stack_is_embedded(
    said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")
    monkeypatch.delenv("HANDOFF_STACK", raising=False)
    if said:
        monkeypatch.setenv("HANDOFF_STACK", said)

    assert engine.chosen() == "embedded"
