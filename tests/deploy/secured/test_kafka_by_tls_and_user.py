"""Kafka that takes TLS and a user alone: our clients get in, and nobody that it does not know."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from tests.stack.secured import Authority, Broker, secured_kafka

from handoff.examination import examine_kafka
from shared.kafka import client, lag, topics
from shared.kafka.errors import KafkaError
from shared.settings import KafkaSettings

USER, GROUP = "anna", "a-group"
TOPIC = "handoff.tasks.v1"


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Broker]:
    directory = tmp_path_factory.mktemp("kafka")
    authority = Authority.made(directory / "authority")
    async with secured_kafka(directory / "node", authority, [USER, "looks", "nobody"]) as broker:
        await topics.apply(broker.open)
        broker.grant(USER, "--operation=All", "--topic=*", "--group=*", "--cluster")
        yield broker


async def test_producer_consumer_and_administrator_prove_who_they_are(broker: Broker) -> None:
    settings = broker.settings(USER)
    producer = client.producer(settings)
    member = client.consumer(settings, group=GROUP, topics=[TOPIC])
    await client.start(producer)
    await client.start(member)
    try:
        await (await producer.send(TOPIC, key=b"k", value=b"v", headers=[]))
        found: list[bytes | None] = []
        while not found:
            polled = await client.poll(member, seconds=1, most=10) or {}
            found = [record.value for some in polled.values() for record in some]
    finally:
        await client.stop(producer)
        await client.stop(member)

    assert found == [b"v"]
    assert await topics.check(settings) == []
    readings = await lag.of_group(settings, group=GROUP, topics=[TOPIC])
    assert sum(reading.lag for reading in readings.values()) == 1


async def test_who_has_the_wrong_password_is_refused(broker: Broker) -> None:
    with pytest.raises(KafkaError):
        await topics.check(broker.settings(USER, kafka_password=SecretStr("wrong")))


async def test_a_broker_of_another_authority_is_not_spoken_to(
    broker: Broker, tmp_path: Path
) -> None:
    stranger = Authority.made(tmp_path)
    with pytest.raises(KafkaError):
        await topics.check(broker.settings(USER, kafka_ca=stranger.path))


async def test_who_was_granted_nothing_can_send_nothing(broker: Broker) -> None:
    with pytest.raises(KafkaError):
        await _send(broker.settings("nobody"))


async def test_who_may_not_look_is_told_which_right_it_takes(broker: Broker) -> None:
    broker.grant("looks", "--operation=Describe", f"--topic={TOPIC}")
    settings = broker.settings("looks")
    (fault,) = await topics.check(settings, [TOPIC])

    assert (fault.stops, fault.coming) == ((), False)
    assert fault.text == (
        f"Topic {TOPIC}: HANDOFF_KAFKA_USER may not read whether it keeps what was acknowledged;"
        " give it DescribeConfigs there."
    )

    hidden = (
        "HANDOFF_KAFKA_USER may not read whether brokers make topics by themselves;"
        " give it DescribeConfigs on the cluster."
    )
    assert [fault.text for fault in await topics.of_brokers(settings)] == [hidden]
    assert hidden in [found.text for found in await examine_kafka(settings) if not found.fine]


async def _send(settings: KafkaSettings) -> None:
    producer = client.producer(settings)
    try:
        await client.start(producer)
        await (await producer.send(TOPIC, key=b"k", value=b"v", headers=[]))
    finally:
        await client.stop(producer)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kafka_user": "anna"}, "give both, or neither"),
        ({"kafka_password": SecretStr("secret")}, "give both, or neither"),
        (
            {
                "kafka_user": "anna",
                "kafka_password": SecretStr("secret"),
                "kafka_mechanism": "PLAIN",
            },
            "give HANDOFF_KAFKA_CA",
        ),
        ({"kafka_ca": "/nowhere/authority.pem"}, "does not point to a file"),
    ],
)
def test_settings_that_do_not_go_together_are_refused_by_name(
    given: dict[str, object], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        KafkaSettings(kafka_bootstrap="127.0.0.1:9092", **given)
