"""Producer and consumer, configured so that nothing is lost or reordered, and with time limits.

aiokafka's own defaults are acks=1, no idempotence and `latest`; its `stop()` and `commit()` were
seen to hang with the broker away. Only this module and `topics` know the physical topic name.
"""

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared import limits
from shared.kafka import connections, security
from shared.kafka.port import Member, Partition, Reader, Sender
from shared.kafka.record import Record
from shared.kafka.topics import logical, physical
from shared.loggers import get_logger
from shared.settings import KafkaSettings
from shared.telemetry import metrics

log = get_logger(__name__)

_MILLISECONDS = 1000
# Whatever is in flight together fits into one batch of its partition. Of two, the second was taken
# after the first was refused, and lay before it from then on.
_BATCH_BYTES = limits.MAX_BODY_BYTES
FLIGHT_BYTES = 1_000_000
# A broker that stands still keeps its connections, so a request to it is waited for in full, and
# then again: for the connection that takes its place, and for who leads now if that very broker was
# asked. A slow broker loses nothing by it: what is sent again has its number, and is taken once.
_REQUEST_SECONDS = 3
_LEADERS_ASKED_SECONDS = 2
# While a group gathers nobody in it works, and a member that was killed is waited for: so briefly.
# Who lives hears of it by a heartbeat. The answer to joining comes when all are there.
_GATHER_SECONDS = 3
_JOIN_SECONDS = _GATHER_SECONDS + 1
_HEARTBEAT_SECONDS = 1
_NO_PARTITION = TopicPartition("none", 0)


def producer(settings: KafkaSettings) -> Sender:
    """Return an idempotent producer that waits for all in-sync replicas; not started."""
    made = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap,
        **security.of(settings),
        client_id=settings.instance,
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        max_batch_size=_BATCH_BYTES,
        max_request_size=limits.MAX_BODY_BYTES,
        linger_ms=0,
        request_timeout_ms=_REQUEST_SECONDS * _MILLISECONDS,
        metadata_max_age_ms=_LEADERS_ASKED_SECONDS * _MILLISECONDS,
    )
    connections.change(made, settings)
    return cast("Sender", made)


def consumer(settings: KafkaSettings, *, group: str, topics: Sequence[str]) -> Member:
    """Return a group member that reads raw bytes and commits only when told; not started.

    The range assignor gives one member the same partition of every topic, so all of a lead.
    A stable instance name makes the member static: back in seconds after a kill.
    """
    made = AIOKafkaConsumer(
        *(physical(settings, topic) for topic in topics),
        bootstrap_servers=settings.kafka_bootstrap,
        **security.of(settings),
        client_id=settings.instance,
        group_id=group_name(settings, group),
        group_instance_id=f"{settings.topic_prefix}{settings.instance}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        partition_assignment_strategy=[RangePartitionAssignor],
        session_timeout_ms=int(settings.session_seconds * _MILLISECONDS),
        rebalance_timeout_ms=_GATHER_SECONDS * _MILLISECONDS,
        heartbeat_interval_ms=_HEARTBEAT_SECONDS * _MILLISECONDS,
        request_timeout_ms=_JOIN_SECONDS * _MILLISECONDS,
        metadata_max_age_ms=_LEADERS_ASKED_SECONDS * _MILLISECONDS,
    )
    connections.change(made, settings)
    return cast("Member", made)


def group_name(settings: KafkaSettings, group: str) -> str:
    """Return a group's name in Kafka."""
    return f"{settings.topic_prefix}{group}"


def reader(settings: KafkaSettings) -> Reader:
    """Return a consumer without a group, for looking at single records; not started."""
    made = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap,
        **security.of(settings),
        client_id=f"{settings.instance}-reader",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    return cast("Reader", made)


async def start(client: Reader | Sender) -> None:
    """Connect, and for a member join the group, within its limit.

    Raises:
        KafkaError, TimeoutError: the brokers are away, or say nothing.
    """
    async with asyncio.timeout(limits.KAFKA_START):
        await client.start()


async def stop(client: Reader | Sender) -> None:
    """Stop a client within its limit; one that hangs is left to the process's end.

    What its own tasks ended by comes up here, and may be anything.
    """
    try:
        async with asyncio.timeout(limits.KAFKA_STOP):
            await client.stop()
    except Exception as error:  # noqa: BLE001
        log.warning("kafka_stop_failed", error=type(error).__name__)
        await connections.hang_up(client)


async def poll(
    member: Member, *, seconds: float, most: int
) -> Mapping[Partition, Sequence[Record]] | None:
    """Return what is there, or nothing after the time; None while the group gives out partitions.

    That may take as long as the brokers are away, and the library waits for it without a limit.
    No record is lost with that wait: none has been taken yet.

    Raises:
        KafkaError: nothing fetches any more, or nobody asks who leads; only a new member will.
    """
    connections.check(member)
    try:
        async with asyncio.timeout(seconds + limits.KAFKA_POLL):
            return await member.getmany(timeout_ms=int(seconds * _MILLISECONDS), max_records=most)
    except TimeoutError:
        return None


async def commit(member: Member, offsets: Mapping[Partition, int]) -> bool:
    """Commit offsets within the limit, those of partitions that are still the member's.

    A failure is counted, and False: the positions in the database decide what is a duplicate, so
    an offset that was not taken costs a second reading and nothing else.
    """
    assigned = member.assignment()
    mine = {partition: offset for partition, offset in offsets.items() if partition in assigned}
    if not mine:
        return True
    try:
        async with asyncio.timeout(limits.KAFKA_COMMIT):
            await member.commit(mine)
    except (TimeoutError, CommitFailedError, IllegalStateError, KafkaError) as error:
        metrics.OFFSET_COMMIT_FAILED.inc()
        log.warning("offset_commit_failed", error=type(error).__name__)
        return False
    return True


async def stay(member: Member) -> None:
    """Tell the group that this member lives, while it takes no records.

    A poll of all partitions would hand out records of those that a rebalance brought meanwhile:
    they are not paused, and their position moves past what nobody looks at.
    """
    with contextlib.suppress(TimeoutError):  # as in `poll`
        async with asyncio.timeout(limits.KAFKA_POLL):
            await member.getmany(cast("Partition", _NO_PARTITION), timeout_ms=0)


async def learn(client: Sender, topics: Collection[str]) -> None:
    """Have a producer know topics before it is given records of them.

    Else it asks for one that is new to it between two records. What it was given before leaves
    meanwhile as a batch of its own, and is overtaken by what follows where the brokers refuse it.

    Raises:
        KafkaError: there is no such topic, or nobody says, or nobody asks who leads any more.
    """
    connections.check(client)
    producer: Any = client  # the library does not type this part
    for topic in topics:  # all of them first: it forgets those that it was not told to watch
        producer.client.add_topic(topic)
    for topic in topics:
        await producer.partitions_for(topic)


async def brokers_answer(client: Sender) -> bool:
    """Tell whether the brokers answer a metadata request within its limit."""
    with contextlib.suppress(TimeoutError, KafkaError, OSError):
        async with asyncio.timeout(limits.BROKER_ANSWER):
            await cast("AIOKafkaProducer", client).client.fetch_all_metadata()
            return True
    return False


def topic_of(settings: KafkaSettings, partition: Partition) -> str:
    """Return the logical topic of a partition."""
    return logical(settings, partition.topic)
