"""The topics in Kafka: made from the catalogue, and compared with it.

The prefix (`HANDOFF_TOPIC_PREFIX`) lets several installations, or several tests, share a cluster;
everywhere else a topic has its logical name.
"""

# pyright: basic
# aiokafka does not type what its admin client answers.

from collections.abc import Iterable, Iterator
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.contracts.catalogue import PARTITIONS, RETENTION_DAYS, TOPICS
from shared.kafka.admin import administrator
from shared.kafka.port import Partition
from shared.limits import MAX_BODY_BYTES
from shared.settings import KafkaSettings

_MILLISECONDS_A_DAY = 86_400_000
_BY_ITSELF = "auto.create.topics.enable"


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


async def check(settings: KafkaSettings) -> list[str]:
    """Return a sentence for each way in which Kafka differs from the catalogue."""
    async with administrator(settings) as admin:
        return await _check(settings, admin)


async def makes_topics_by_itself(settings: KafkaSettings) -> bool:
    """Tell whether a broker makes a topic whenever somebody names one: with one partition.

    Raises:
        KafkaError: who asks may not know.
    """
    async with administrator(settings) as admin:
        brokers: Any = await admin.describe_cluster()
        names = [str(broker["node_id"]) for broker in brokers["brokers"]]
        resources = [ConfigResource(ConfigResourceType.BROKER, name) for name in names]
        answers: Any = await admin.describe_configs(resources, include_synonyms=False)
    return any((entry[0], entry[1]) == (_BY_ITSELF, "true") for entry in _entries(answers))


def _entries(answers: Iterable[Any]) -> Iterator[Any]:
    for answer in answers:
        for code, message, _, _, entries in answer.resources:
            if code:
                raise for_code(code)(message)
            yield from entries


def _wanted(settings: KafkaSettings) -> dict[str, str]:
    copies = settings.kafka_replication
    return {
        "min.insync.replicas": str(min(2, copies)),
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


async def _check(settings: KafkaSettings, admin: AIOKafkaAdminClient) -> list[str]:
    names = [physical(settings, topic.name) for topic in TOPICS]
    known = set(await admin.list_topics())
    missing = [
        f"{name}: missing; run `handoff topics apply`" for name in names if name not in known
    ]
    present = [name for name in names if name in known]
    if not present:
        return missing
    shapes = await admin.describe_topics(present)
    wrong = [f for shape in shapes for f in _shape_faults(settings, shape)]
    return missing + wrong + await _config_faults(settings, admin, present)


def _shape_faults(settings: KafkaSettings, shape: dict[str, object]) -> list[str]:
    name, partitions = shape["topic"], shape["partitions"]
    if not isinstance(partitions, list):
        return [f"{name}: cannot be read"]
    faults: list[str] = []
    if len(partitions) != PARTITIONS:
        faults.append(f"{name}: {len(partitions)} partitions instead of {PARTITIONS}")
    copies = min(len(partition["replicas"]) for partition in partitions)
    if copies < settings.kafka_replication:
        wanted = f"{settings.kafka_replication} (HANDOFF_KAFKA_REPLICATION)"
        faults.append(f"{name}: {copies} copies instead of {wanted}")
    return faults


async def _config_faults(
    settings: KafkaSettings, admin: AIOKafkaAdminClient, names: list[str]
) -> list[str]:
    wanted = _wanted(settings)
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    faults: list[str] = []
    answers: Any = await admin.describe_configs(resources)
    for answer in answers:
        for _, _, _, name, entries in answer.resources:
            found = {entry[0]: entry[1] for entry in entries}
            faults += [
                f"{name}: {key} is {found.get(key)} instead of {value}"
                for key, value in wanted.items()
                if found.get(key) != value
            ]
    return faults
