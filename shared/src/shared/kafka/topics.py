"""The topics in Kafka: made from the catalogue, and compared with it.

The prefix (`HANDOFF_TOPIC_PREFIX`) lets several installations, or several tests, share a cluster;
everywhere else a topic has its logical name.
"""

# pyright: basic
# aiokafka does not type what its admin client answers.

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)

from shared.contracts.catalogue import PARTITIONS, RETENTION_DAYS, TOPICS
from shared.fitness import Fault
from shared.kafka.admin import administrator
from shared.kafka.port import Partition
from shared.limits import MAX_BODY_BYTES
from shared.settings import KafkaSettings

_MILLISECONDS_A_DAY = 86_400_000
_BY_ITSELF = "auto.create.topics.enable"
_IN_SYNC = "min.insync.replicas"
_HIDDEN = (
    "HANDOFF_KAFKA_USER may not read whether brokers make topics by themselves;"
    " give it DescribeConfigs on the cluster."
)
_ALL = tuple(topic.name for topic in TOPICS)
_STOPS = ("worker", "topics")
_ONE_IS_ENOUGH = "HANDOFF_KAFKA_REPLICATION=1 where one node is all there is"


def physical(settings: KafkaSettings, topic: str) -> str:
    """Return a topic's name in Kafka."""
    return f"{settings.topic_prefix}{topic}"


def logical(settings: KafkaSettings, topic: str) -> str:
    """Return the name under which the catalogue knows a Kafka topic."""
    return topic.removeprefix(settings.topic_prefix)


def partitions(settings: KafkaSettings, topic: str) -> list[Partition]:
    """Return the partitions of a topic."""
    return [Partition(physical(settings, topic), number) for number in range(PARTITIONS)]


async def apply(settings: KafkaSettings) -> list[str]:
    """Make the topics that are missing; return their names."""
    async with administrator(settings) as admin:
        return await _apply(settings, admin)


async def check(settings: KafkaSettings, topics: Collection[str] = _ALL) -> list[Fault]:
    """Return each way in which Kafka differs from the catalogue, as far as these topics go."""
    async with administrator(settings) as admin:
        return await _check(settings, admin, topics)


async def lacking(settings: KafkaSettings) -> list[Fault]:
    """Return which topics are missing or have other partitions: who wants all of them waits."""
    async with administrator(settings) as admin:
        missing, shapes = await _shapes(settings, admin, _ALL)
    return [*missing, *(fault for shape in shapes for fault in _of_partitions(shape))]


def why_away(settings: KafkaSettings, error: BaseException) -> str:
    """Return why the brokers do not answer, in a sentence without the password."""
    why = str(error).strip() or type(error).__name__
    named = "HANDOFF_KAFKA_BOOTSTRAP, HANDOFF_KAFKA_CA and HANDOFF_KAFKA_USER"
    return f"Kafka at {settings.kafka_bootstrap} does not answer: {why}; see {named}"


async def of_brokers(settings: KafkaSettings) -> list[Fault]:
    """Return what is amiss with the brokers themselves."""
    async with administrator(settings) as admin:
        brokers: Any = await admin.describe_cluster()
        names = [str(broker["node_id"]) for broker in brokers["brokers"]]
        resources = [ConfigResource(ConfigResourceType.BROKER, name) for name in names]
        answers: Any = await admin.describe_configs(resources, include_synonyms=False)
    try:
        by_itself = any(entry[:2] == (_BY_ITSELF, "true") for entry in _entries(answers))
    except ClusterAuthorizationFailedError:
        return [Fault(_HIDDEN)]
    text = (
        "Brokers make topics by themselves, with one partition where somebody slips:"
        f" set {_BY_ITSELF}=false on them."
    )
    return [Fault(text)] if by_itself else []


def _entries(answers: Iterable[Any]) -> Iterator[Any]:
    for answer in answers:
        for code, message, _, _, entries in answer.resources:
            if code:
                raise for_code(code)(message)
            yield from entries


def _wanted(settings: KafkaSettings) -> dict[str, str]:
    copies = settings.kafka_replication
    return {
        _IN_SYNC: str(min(2, copies)),
        "retention.ms": str(RETENTION_DAYS * _MILLISECONDS_A_DAY),
        "max.message.bytes": str(MAX_BODY_BYTES),
        "unclean.leader.election.enable": "false",
    }


async def _apply(settings: KafkaSettings, admin: AIOKafkaAdminClient) -> list[str]:
    known = set(await admin.list_topics())
    missing = [t.name for t in TOPICS if physical(settings, t.name) not in known]
    new = [
        NewTopic(
            name=physical(settings, name),
            num_partitions=PARTITIONS,
            replication_factor=settings.kafka_replication,
            topic_configs=_wanted(settings),
        )
        for name in missing
    ]
    answer: Any = await admin.create_topics(new) if new else None
    for fault in answer.topic_errors if answer else ():
        error = for_code(fault[1])
        if fault[1] and error is not TopicAlreadyExistsError:
            raise error(f"{fault[0]}: {fault[2]}")
    return missing


async def _check(
    settings: KafkaSettings, admin: AIOKafkaAdminClient, topics: Collection[str]
) -> list[Fault]:
    missing, shapes = await _shapes(settings, admin, topics)
    if not shapes:
        return missing
    wrong = [f for shape in shapes for f in _shape_faults(settings, shape)]
    present = [str(shape["topic"]) for shape in shapes]
    return [*missing, *wrong, *await _config_faults(settings, admin, present)]


async def _shapes(
    settings: KafkaSettings, admin: AIOKafkaAdminClient, topics: Collection[str]
) -> tuple[list[Fault], list[dict[str, Any]]]:
    """Return which topics are missing, and of which shape the others are, in their order."""
    names = [physical(settings, topic) for topic in topics]
    known = set(await admin.list_topics())
    missing = [_missing(name) for name in names if name not in known]
    present = [name for name in names if name in known]
    shapes = await admin.describe_topics(present) if present else []
    return missing, sorted(shapes, key=lambda shape: names.index(shape["topic"]))


def _missing(name: str) -> Fault:
    return Fault(f"Topic {name}: missing; run `handoff topics apply`.", coming=True)


def _shape_faults(settings: KafkaSettings, shape: dict[str, Any]) -> Iterator[Fault]:
    name, partitions = shape["topic"], shape["partitions"]
    yield from _of_partitions(shape)
    copies = min((len(partition["replicas"]) for partition in partitions), default=math.inf)
    if copies < settings.kafka_replication:
        wanted = f"{settings.kafka_replication} (HANDOFF_KAFKA_REPLICATION)"
        cure = f"add some by `kafka-reassign-partitions.sh`, or {_ONE_IS_ENOUGH}"
        yield Fault(f"Topic {name}: {copies} copies instead of {wanted}; {cure}.", _STOPS)


def _of_partitions(shape: dict[str, Any]) -> Iterator[Fault]:
    name, count = shape["topic"], len(shape["partitions"])
    if not count:
        yield Fault(f"Topic {name}: cannot be read.", coming=True)
    elif count != PARTITIONS:
        few = f"add some by `kafka-topics.sh --alter --topic {name} --partitions {PARTITIONS}`"
        cure = few if count < PARTITIONS else "it loses none, so make it anew"
        text = f"Topic {name}: {count} partitions instead of {PARTITIONS}; {cure}."
        yield Fault(text, _STOPS)


async def _config_faults(
    settings: KafkaSettings, admin: AIOKafkaAdminClient, names: list[str]
) -> list[Fault]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    answers: Any = await admin.describe_configs(resources)
    faults: list[Fault] = []
    for answer in answers:
        for code, message, _, name, entries in answer.resources:
            if code == TopicAuthorizationFailedError.errno:
                faults.append(_hidden(name))
            elif code:
                raise for_code(code)(message)
            else:
                found = {entry[0]: entry[1] for entry in entries}
                faults += _differing(settings, name, found)
    return faults


def _hidden(name: str) -> Fault:
    text = f"Topic {name}: HANDOFF_KAFKA_USER may not read whether it keeps what was acknowledged;"
    return Fault(f"{text} give it DescribeConfigs there.")


def _differing(
    settings: KafkaSettings, name: str, found: Mapping[str, str | None]
) -> Iterator[Fault]:
    for key, wanted in _wanted(settings).items():
        has = found.get(key)
        if has == wanted:
            continue
        text = f"Topic {name}: {key} is {has} instead of {wanted}; set it on the topic"
        if key == _IN_SYNC and int(has or 0) < int(wanted):
            yield Fault(f"{text}, or {_ONE_IS_ENOUGH}.", _STOPS)
        else:
            yield Fault(f"{text}.")
