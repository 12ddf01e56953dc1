"""What was seen to hang with the brokers away comes back within its limit, and loses nothing."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Generator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import TopicPartition
from prometheus_client import REGISTRY
from tests.stack.leftovers import LEFTOVERS, sweep_up
from tests.stack.nodes import Node

from shared import limits
from shared.kafka import client, lag
from shared.kafka.errors import KafkaError
from shared.kafka.port import Member, Partition, Sender
from shared.settings import KafkaSettings

pytestmark = LEFTOVERS
TOPIC = "handoff.reps.v1"
SLACK = 2.0
NOWHERE = "127.0.0.1:1"
_BACK_WITHIN = 60.0


async def took(work: Awaitable[object]) -> float:
    began = time.monotonic()
    await work
    return time.monotonic() - began


async def send(producer: Sender, text: bytes) -> int:
    ack = await producer.send(TOPIC, text, key=b"k", headers=[])
    return (await ack).offset


@asynccontextmanager
async def a_member(settings: KafkaSettings, group: str) -> AsyncGenerator[Member]:
    member = client.consumer(settings, group=group, topics=[TOPIC])
    await member.start()
    try:
        yield member
    finally:
        await client.stop(member)


@asynccontextmanager
async def a_producer(settings: KafkaSettings) -> AsyncGenerator[Sender]:
    producer = client.producer(settings)
    await producer.start()
    try:
        yield producer
    finally:
        await client.stop(producer)


async def read(member: Member, wanted: bytes) -> None:
    """Read on until a value comes."""
    found: set[bytes | None] = set()
    async with asyncio.timeout(20):
        while wanted not in found:
            records = await client.poll(member, seconds=0.2, most=50)
            found |= {record.value for some in (records or {}).values() for record in some}


def refused_commits() -> float:
    return REGISTRY.get_sample_value("handoff_offset_commit_failed_total") or 0.0


@pytest.fixture(autouse=True)
def less_patience(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Make the limits short, so that the tests are."""
    for name in ("KAFKA_STOP", "KAFKA_COMMIT", "KAFKA_POLL", "KAFKA_READ"):
        monkeypatch.setattr(limits, name, 1.5)
    yield
    sweep_up()


class TestAway:
    async def test_a_producer_with_a_record_in_flight_stops(
        self, own: Node, settings: KafkaSettings
    ) -> None:
        producer = client.producer(settings)
        await producer.start()
        await send(producer, b"before")
        with own.process.frozen():
            await producer.send(TOPIC, b"in flight", key=b"k", headers=[])

            assert await took(client.stop(producer)) < limits.KAFKA_STOP + SLACK

    async def test_a_member_commits_polls_and_stops(
        self, own: Node, settings: KafkaSettings
    ) -> None:
        async with a_producer(settings) as producer:
            await send(producer, b"one")
        member = client.consumer(settings, group="away", topics=[TOPIC])
        await member.start()
        await read(member, b"one")
        offsets = dict.fromkeys(member.assignment(), 1)
        before = refused_commits()
        with own.process.frozen():
            assert await took(client.commit(member, offsets)) < limits.KAFKA_COMMIT + SLACK
            assert await took(client.poll(member, seconds=0.2, most=5)) < limits.KAFKA_POLL + SLACK
            assert await took(client.stop(member)) < limits.KAFKA_STOP + SLACK

        assert refused_commits() == before + 1

    async def test_a_start_says_that_nobody_is_there(self, settings: KafkaSettings) -> None:
        nowhere = settings.model_copy(update={"kafka_bootstrap": NOWHERE})
        producer = client.producer(nowhere)
        try:
            with pytest.raises(KafkaError):
                await producer.start()
        finally:
            await client.stop(producer)

    async def test_brokers_that_take_connections_and_say_nothing_do_not_answer(
        self, own: Node, settings: KafkaSettings
    ) -> None:
        async with a_producer(settings) as producer:
            before = await client.brokers_answer(producer)
            with own.process.frozen():
                frozen = await client.brokers_answer(producer)

            assert (before, frozen) == (True, False)

    async def test_nobody_knows_the_lag(self, own: Node, settings: KafkaSettings) -> None:
        async def ask() -> object:
            return await lag.of_group(settings, group="away", topics=[TOPIC])

        async with a_member(settings, "away"):
            pass
        with own.process.frozen():
            began = time.monotonic()
            with pytest.raises((KafkaError, OSError, TimeoutError)):
                await ask()
            assert time.monotonic() - began < limits.KAFKA_READ + limits.KAFKA_STOP + SLACK
        assert await ask()

    async def test_a_group_that_gives_out_partitions_for_ever_holds_nobody_up(
        self, settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No group of one member can be kept from ending that, so it is planted."""

        async def waits(*_: Any, **__: Any) -> None:
            await asyncio.Event().wait()

        async with a_member(settings, "endless") as member:
            monkeypatch.setattr(member, "getmany", waits)

            assert await took(client.poll(member, seconds=0.2, most=5)) < limits.KAFKA_POLL + SLACK
            assert await took(client.stay(member)) < limits.KAFKA_POLL + SLACK


class TestRead:
    async def test_a_new_group_begins_with_the_first_record_and_raw_bytes(
        self, settings: KafkaSettings
    ) -> None:
        garbage = b"\xff\x00 no JSON"
        async with a_producer(settings) as producer:
            await send(producer, garbage)
        async with a_member(settings, "new") as member:
            await read(member, garbage)

    async def test_a_commit_for_what_is_no_longer_ours_is_passed_over(
        self, settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        strange: Any = TopicPartition(TOPIC, 99)
        async with a_member(settings, "unassigned") as member:
            before = refused_commits()
            await client.commit(member, {strange: 1})
            known = refused_commits()
            monkeypatch.setattr(member, "assignment", lambda: {strange})
            await client.commit(member, {strange: 1})

            assert (known, refused_commits()) == (before, before + 1)

    async def test_a_blocked_loop_costs_the_membership_and_no_record(
        self, settings: KafkaSettings
    ) -> None:
        async with a_producer(settings) as producer, a_member(settings, "blocked") as member:
            await send(producer, b"before")
            await read(member, b"before")
            time.sleep(settings.session_seconds + 3)  # noqa: ASYNC251  that is the fault
            await send(producer, b"after")
            await read(member, b"after")
            async with asyncio.timeout(_BACK_WITHIN):
                while await _commit_all(member, settings, "blocked"):
                    await client.poll(member, seconds=0.2, most=1)


async def _commit_all(member: Member, settings: KafkaSettings, group: str) -> int:
    """Commit the ends of what a member has; return how many records are still not committed.

    Until the member is back in its group it has nothing, or nobody takes its offsets.
    """
    places = await lag.of_group(settings, group=group, topics=[TOPIC])
    ends = {p: places[Partition(*p)].end for p in member.assignment()}
    await client.commit(member, ends)
    after = await lag.of_group(settings, group=group, topics=[TOPIC])
    return sum(place.lag for place in after.values())


class TestWrite:
    async def test_every_in_sync_replica_has_a_record_before_it_counts(
        self, settings: KafkaSettings
    ) -> None:
        """Read from the library's own state: one node cannot lose a replica."""
        async with a_producer(settings) as producer:
            sender = producer._sender  # type: ignore[attr-defined]  # noqa: SLF001

            assert sender._acks == -1  # noqa: SLF001
            assert sender._txn_manager.has_pid()  # noqa: SLF001
            assert sender._txn_manager.transactional_id is None  # noqa: SLF001
