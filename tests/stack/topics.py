"""What the topics hold in the end, read back as a stranger would: the log is the last witness."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import NotLeaderForPartitionError
from tests.stack.waiting import until

from shared.contracts.catalogue import PARTITIONS, TOPICS
from shared.contracts.envelope import Envelope, from_record
from shared.kafka import client
from shared.kafka.port import Partition, Reader
from shared.kafka.record import Record
from shared.kafka.topics import logical, physical
from shared.settings import KafkaSettings

_NOTHING_CAME = 5000


@dataclass
class Stream:
    """What the log holds of one subject on one topic, in the order of the log."""

    envelopes: list[Envelope] = field(default_factory=list)
    places: set[int] = field(default_factory=set)
    keys: set[bytes | None] = field(default_factory=set)

    @property
    def firsts(self) -> list[Envelope]:
        """The first occurrence of each event: what a hearer acts on."""
        seen: set[UUID] = set()
        return [e for e in self.envelopes if not (e.event_id in seen or seen.add(e.event_id))]

    @property
    def in_order(self) -> bool:
        """Whether the first occurrences are 1, 2, 3 … and lie in one partition under one key."""
        numbers = [envelope.sequence for envelope in self.firsts]
        ours = {str(envelope.subject).encode() for envelope in self.envelopes}
        counted = numbers == list(range(1, len(numbers) + 1))
        return counted and len(self.places) == 1 and self.keys == ours


Streams = dict[tuple[str, UUID], Stream]


async def read_back(settings: KafkaSettings, names: Iterable[str]) -> Streams:
    """Return all that these topics hold, by topic and subject."""
    found: Streams = defaultdict(Stream)
    reader = client.reader(settings)
    await reader.start()
    try:
        wanted = [
            Partition(physical(settings, name), number)
            for name in names
            for number in range(PARTITIONS)
        ]
        for record in await _records(reader, wanted):
            topic = logical(settings, record.topic)
            envelope = from_record(topic=topic, value=record.value, headers=record.headers)
            stream = found[topic, envelope.subject]
            stream.envelopes.append(envelope)
            stream.places.add(record.partition)
            stream.keys.add(record.key)
    finally:
        await client.stop(reader)
    return found


async def _records(reader: Reader, wanted: list[Partition]) -> list[Record]:
    firsts = await reader.beginning_offsets(wanted)
    ends = {p: end for p, end in (await reader.end_offsets(wanted)).items() if end > firsts[p]}
    reader.assign(list(ends))
    for partition in ends:
        reader.seek(partition, firsts[partition])
    records: list[Record] = []
    while ends:
        some = await reader.getmany(*ends, timeout_ms=_NOTHING_CAME)
        if not some:
            raise TimeoutError("the brokers did not give what the topics hold")
        for partition, here in some.items():
            records += here
            if here[-1].offset + 1 >= ends.get(partition, 0):
                ends.pop(partition, None)
    return records


async def drop(settings: KafkaSettings) -> None:
    """Drop all topics of the catalogue under a prefix."""
    async with _administering(settings.kafka_bootstrap) as admin:
        await admin.delete_topics([physical(settings, topic.name) for topic in TOPICS])


async def forget(bootstrap: str, topic: str) -> None:
    """Let Kafka drop all records of a topic, as after its retention or a lost disk."""
    everything = {Partition(topic, n): RecordsToDelete(before_offset=-1) for n in range(PARTITIONS)}
    async with _administering(bootstrap) as admin:
        await until(lambda: _dropped(admin, everything))


@asynccontextmanager
async def _administering(bootstrap: str) -> AsyncGenerator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def _dropped(
    admin: AIOKafkaAdminClient, records: Mapping[Partition, RecordsToDelete]
) -> bool:
    """Tell whether it is done; a topic that was made a moment ago may not have its leaders yet."""
    try:
        await admin.delete_records(records)
    except NotLeaderForPartitionError:
        return False
    return True
