"""`handoff audit --kafka`: what the archives say was sent is in the topics, and nothing else is."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator
from uuid import UUID

import pytest
from tests.integration.handoff.conftest import Handoff
from tests.integration.handoff.databases import LEADS, Databases

from handoff.audit import topics
from handoff.audit.reconcile import Scope, reconcile, tell_nobody
from handoff.audit.report import InKafka
from handoff.site import Site
from handoff.views import open_views
from shared import limits
from shared.clock import utc_now
from shared.contracts.envelope import Envelope
from shared.ids import new_id
from shared.kafka import client
from shared.kafka.port import Ack, Sender
from shared.kafka.topics import physical
from shared.settings import KafkaSettings

_PLACE = 'UPDATE outbox_archive SET partition = $2, "offset" = $3 WHERE event_id = $1'


@pytest.fixture(scope="module")
async def producer(opened: Databases) -> AsyncGenerator[Sender]:
    made = client.producer(opened.kafka)
    await made.start()
    yield made
    await client.stop(made)


class Log:
    """Writes events of leads into the topic, as the relay would, or as it never should."""

    def __init__(self, databases: Databases, producer: Sender) -> None:
        self.databases = databases
        self.producer = producer

    async def send(self, subject: UUID, event_id: UUID, sequence: int) -> Ack:
        envelope = Envelope(
            event_id=event_id,
            topic=LEADS,
            subject=subject,
            sequence=sequence,
            kind="lead.captured",
            version=1,
            said_at=utc_now(),
            source="marketing-intake",
            correlation_id=new_id(),
            causation_id=None,
            traceparent=None,
            data=b"{}",
        )
        return await self.write(subject, envelope.headers())

    async def write(self, subject: UUID, headers: list[tuple[str, bytes]]) -> Ack:
        topic, key = physical(self.databases.kafka, LEADS), str(subject).encode()
        return await (await self.producer.send(topic, b"{}", key=key, headers=headers))

    async def lead(self, last: int, *, order: tuple[int, ...] = ()) -> UUID:
        """Say and send events 1 to `last` of a lead, in their order or another."""
        subject = new_id()
        ids = await self.databases.say(subject, last)
        for sequence in order or range(1, last + 1):
            event_id = ids[sequence - 1]
            ack = await self.send(subject, event_id, sequence)
            await self.archive(event_id, ack.partition, ack.offset)
        return subject

    async def archive(self, event_id: UUID, partition: int, offset: int) -> None:
        owner = self.databases.owners["marketing-intake"]
        await owner.execute(_PLACE, event_id, partition, offset)

    async def look(self) -> InKafka:
        """Return what is found now."""
        async with open_views(self.databases.site) as views:
            return await topics.read_topics(self.databases.kafka, views, tell=tell_nobody)


@pytest.fixture
async def log(databases: Databases, producer: Sender) -> Log:
    """A topic as the tests before left it: their records are strangers by now."""
    return Log(databases, producer)


async def test_what_was_sent_is_there_in_order_and_may_be_there_twice(log: Log) -> None:
    before = await log.look()
    lead_id = await log.lead(3)
    owner = log.databases.owners["marketing-intake"]
    first = await owner.fetchval("SELECT event_id FROM outbox_archive WHERE sequence = 1")
    await log.send(lead_id, first, 1)
    after = await log.look()

    assert after.records == before.records + 4
    assert faults_of(after) == faults_of(before)


def faults_of(found: InKafka) -> tuple[int, int, int]:
    return found.holes, found.strangers, found.inversions


async def test_an_event_that_is_not_at_its_place_is_a_hole(log: Log) -> None:
    before = await log.look()
    await log.lead(2)
    owner = log.databases.owners["marketing-intake"]
    event_id = await owner.fetchval("SELECT event_id FROM outbox_archive WHERE sequence = 2")
    place = await owner.fetchrow("SELECT * FROM outbox_archive WHERE sequence = 1")
    await log.archive(event_id, place["partition"], place["offset"])
    after = await log.look()

    assert after.holes == before.holes + 1
    assert any(str(event_id) in each for each in after.named)


async def test_an_event_behind_the_end_of_the_log_is_a_hole(log: Log) -> None:
    before = await log.look()
    await log.lead(1)
    [event_id] = await log.databases.say(new_id(), 1)
    await log.archive(event_id, 5, 1_000_000)
    after = await log.look()

    assert after.holes == before.holes + 1
    assert any("the log ends here" in each for each in after.named)


async def test_a_record_that_no_database_knows_is_a_stranger(log: Log) -> None:
    before = await log.look()
    await log.send(new_id(), new_id(), 1)
    await log.write(new_id(), [("ce_id", b"nonsense")])
    after = await log.look()

    assert after.strangers == before.strangers + 2


async def test_events_in_another_order_are_inversions(log: Log) -> None:
    before = await log.look()
    lead_id = await log.lead(3, order=(1, 3, 2))
    after = await log.look()

    assert after.inversions == before.inversions + 1
    assert any(f"number 3 of {lead_id} comes after 1" in each for each in after.named)


async def test_many_records_are_read_window_by_window(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(10):
        await log.lead(3)
    in_one = await log.look()
    monkeypatch.setattr(topics, "_WINDOW", 2)
    in_many = await log.look()

    assert (in_many.records, faults_of(in_many)) == (in_one.records, faults_of(in_one))
    assert sorted(in_many.named) == sorted(in_one.named)


async def test_the_command_reads_the_topics_and_ends_with_1(log: Log, handoff: Handoff) -> None:
    await log.send(new_id(), new_id(), 1)
    answer = handoff("audit", "--kafka", "--wait", "0", "--json")

    assert answer.returncode == 1
    assert json.loads(answer.stdout)["kafka"]["strangers"] >= 1


async def test_without_kafka_the_command_says_so_in_a_sentence(
    databases: Databases, handoff: Handoff
) -> None:
    away = handoff("audit", "--kafka", "--wait", "0", HANDOFF_KAFKA_BOOTSTRAP="127.0.0.1:1")
    with pytest.raises(topics.NoTopics, match="HANDOFF_KAFKA_BOOTSTRAP"):
        await reconcile(Site(databases.urls, {}, None), wait=0, scope=Scope(topics=True))

    assert away.returncode == 1
    assert "Traceback" not in away.stderr
    assert "127.0.0.1" in away.stderr


async def test_a_topic_with_too_few_partitions_is_told_of_instead_of_its_brokers(
    databases: Databases, narrow: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BROKER_TELLS", 1)
    with pytest.raises(topics.NoTopics) as raised:
        await reconcile(Site(databases.urls, {}, narrow), wait=0, scope=Scope(topics=True))

    name = f"{narrow.topic_prefix}handoff.leads.v1"
    assert str(raised.value) == (
        f"Kafka does not say how far its topics reach. Topic {name}: 3 partitions instead of 12;"
        f" add some by `kafka-topics.sh --alter --topic {name} --partitions 12`."
    )


async def test_brokers_that_take_the_connection_and_say_nothing_are_told_of_in_a_sentence(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "KAFKA_START", 0.2)
    monkeypatch.setattr(limits, "KAFKA_STOP", 0.2)
    monkeypatch.setattr(limits, "KAFKA_READ", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        bootstrap = f"127.0.0.1:{silent.getsockname()[1]}"
        kafka = databases.kafka.model_copy(update={"kafka_bootstrap": bootstrap})
        site = Site(databases.urls, {}, kafka)
        async with asyncio.timeout(20):
            with pytest.raises(topics.NoTopics, match="Its brokers do not answer in time"):
                await reconcile(site, wait=0, scope=Scope(topics=True))
