"""Kafka as messaging sees it: what it may call, in types of our own.

aiokafka is only partly typed; whatever passes through here is known to the type checker. The
contract of each method is the library's, plus what is said here.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from aiokafka import TopicPartition

from shared.kafka.record import Record


class Partition(TopicPartition):
    """One partition of a topic, under the topic's physical name; `getmany` wants the library's."""

    __slots__ = ()


class Ack(Protocol):
    """Where a record came to lie."""

    @property
    def partition(self) -> int:
        """The partition."""
        ...

    @property
    def offset(self) -> int:
        """The place in the partition."""
        ...


class Place(Protocol):
    """Where the first record of a time, or of a later one, lies."""

    @property
    def offset(self) -> int:
        """The place in the partition."""
        ...


class Reader(Protocol):
    """Reads records of partitions that it is told, without a group."""

    async def start(self) -> None:
        """Connect; raises a KafkaError while no broker answers."""
        ...

    async def stop(self) -> None:
        """May hang while brokers are away: call `client.stop`."""
        ...

    async def getmany(
        self, *partitions: Partition, timeout_ms: int = 0, max_records: int | None = None
    ) -> Mapping[Partition, Sequence[Record]]:
        """Return what is there, or nothing after the time."""
        ...

    def assign(self, partitions: Sequence[Partition]) -> None:
        """Read these from now on."""
        ...

    def seek(self, partition: Partition, offset: int) -> None:
        """Read a partition from here."""
        ...

    async def beginning_offsets(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Return the first offset that is still there, per partition."""
        ...

    async def end_offsets(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """Return the offset that the next record will have, per partition."""
        ...

    async def offsets_for_times(
        self, timestamps: Mapping[Partition, int]
    ) -> Mapping[Partition, Place | None]:
        """Return the first record of these times (milliseconds) or after; None: there is none."""
        ...


class Member(Reader, Protocol):
    """A member of a consumer group."""

    def assignment(self) -> set[Partition]:
        """Return the partitions that are this member's now."""
        ...

    def pause(self, *partitions: Partition) -> None:
        """Fetch nothing of these, and stay a member."""
        ...

    def resume(self, *partitions: Partition) -> None:
        """Fetch again."""
        ...

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """May hang or fail: call `client.commit`."""
        ...


class Sender(Protocol):
    """Writes records, in the order of the calls per partition."""

    async def start(self) -> None:
        """Connect; raises a KafkaError while no broker answers."""
        ...

    async def stop(self) -> None:
        """May hang while brokers are away: call `client.stop`."""
        ...

    async def send(
        self, topic: str, value: bytes, *, key: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> asyncio.Future[Ack]:
        """Take a record; the future ends with its ack. Giving up waiting does not unsend it."""
        ...
