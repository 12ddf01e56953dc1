"""The consumer: takes batches from Kafka, sees each through, and commits offsets behind them.

Whatever stops it (a broker or the database is away, the breaker is open, newer code wrote an
event) it holds, says why, and goes on with the same batch; it never skips and never dies of it.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared import crash_points
from shared.contracts.catalogue import UnknownVersion
from shared.database.errors import Kind, kind_of
from shared.kafka import client
from shared.kafka.errors import KafkaError
from shared.kafka.port import Member, Partition
from shared.kafka.record import Record
from shared.loggers import get_logger
from shared.messaging import backoff, pace
from shared.messaging.batch import Batch
from shared.messaging.breaker import Breaker, BreakerOpen
from shared.messaging.heard import D, Hearer
from shared.messaging.loops import StartAgain
from shared.messaging.narrowing import Narrowing
from shared.messaging.offsets import Offsets
from shared.messaging.records import Delivery, Stranger, take_apart
from shared.messaging.stuck import StuckWatch
from shared.settings import KafkaSettings
from shared.telemetry import metrics
from shared.telemetry.heartbeat import BREAKER, UNKNOWN_VERSION, Heartbeat

log = get_logger(__name__)

_MOST_RECORDS = 250
_POLL_SECONDS = 0.2
_HELD_SECONDS = 2.0

_SUBSCRIBE = text("""
    INSERT INTO subscription (topic) SELECT unnest(CAST(:topics AS text[])) ON CONFLICT DO NOTHING
""")
_SUBSCRIBED = text("SELECT topic, started_at FROM subscription WHERE topic = ANY(:topics)")


async def subscribe(engine: AsyncEngine, topics: Sequence[str]) -> dict[str, datetime]:
    """Write down the first hearing of each topic; return when that was."""
    async with engine.begin() as connection:
        await connection.execute(_SUBSCRIBE, {"topics": list(topics)})
        rows = await connection.execute(_SUBSCRIBED, {"topics": list(topics)})
        return {row.topic: row.started_at for row in rows}


@dataclass(slots=True)
class Consumer(Generic[D]):
    """One member of a service's consumer group."""

    engine: AsyncEngine
    settings: KafkaSettings
    service: str
    version: str
    topics: tuple[str, ...]
    hearer: Hearer[D]
    heartbeat: Heartbeat
    said: asyncio.Event = field(default_factory=asyncio.Event)
    """Set after each batch: something may have been said in it."""

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until told to stop. Errors of infrastructure end it; it is run again.

        Raises:
            StartAgain: there is work and the client does not give it; only a new one is sure to.
        """
        batch = Batch(self.engine, self.hearer, await subscribe(self.engine, self.topics))
        member = client.consumer(self.settings, group=self.service, topics=self.topics)
        watch = StuckWatch(self.settings, self.service, self.topics, self.heartbeat)
        try:
            self.heartbeat.hold("infrastructure")
            await client.start(member)
            self.heartbeat.free()
            crash_points.reach("consumer.joined")
            narrowing = Narrowing(self.engine, batch, Breaker(self.service, self.version))
            watching = asyncio.create_task(watch.run(member), name="watch the lag")
            try:
                await self._consume(Offsets(member), narrowing, watch, stop)
            finally:
                watching.cancel()
        finally:
            await client.stop(member)

    async def _consume(
        self, offsets: Offsets, narrowing: Narrowing[D], watch: StuckWatch, stop: asyncio.Event
    ) -> None:
        member = offsets.member
        while not stop.is_set():
            records = await client.poll(member, seconds=_POLL_SECONDS, most=_MOST_RECORDS)
            self.heartbeat.beat()
            watch.joining = records is None
            if watch.stuck:
                raise StartAgain("there is work, and the consumer does not get on with it")
            if not records:
                await offsets.tell_in_time()
                if watch.idle:
                    self.heartbeat.progress()
                continue
            crash_points.reach("consumer.after_poll")
            watch.batch_began = began = time.monotonic()
            if not await self._see_through(offsets, narrowing, records, stop):
                return
            self.said.set()
            crash_points.reach("consumer.after_commit")
            await offsets.note(records)
            watch.batch_began = None
            self.heartbeat.progress()
            took = time.monotonic() - began
            self._tell(records, took)
            full = sum(map(len, records.values())) == _MOST_RECORDS
            await backoff.sleep(pace.rest(took, full=full), stop)
        await offsets.tell()

    def _tell(self, records: Mapping[Partition, Sequence[Record]], seconds: float) -> None:
        metrics.BATCH_SECONDS.observe(seconds)
        places = {
            f"{client.topic_of(self.settings, partition)}/{partition.partition}": len(some)
            for partition, some in records.items()
        }
        count = sum(places.values())
        log.info("batch_heard", records=count, seconds=round(seconds, 4), places=places)

    async def _see_through(
        self,
        offsets: Offsets,
        narrowing: Narrowing[D],
        records: Mapping[Partition, Sequence[Record]],
        stop: asyncio.Event,
    ) -> bool:
        """Try the same batch until nothing of it is left; False where it was told to stop first."""
        deliveries, strangers = self._take_apart(records)
        metrics.BATCH_EVENTS.observe(len(deliveries))
        failures = 0
        while not stop.is_set():
            try:
                await narrowing.take(deliveries, strangers)
            except Exception as error:
                reason = why_held(error)
                if reason is None:
                    raise
                failures += 1
                await self._hold(offsets, reason, failures, stop)
            else:
                self._go_on(offsets.member)
                return True
        return False

    async def _hold(
        self, offsets: Offsets, reason: str, failures: int, stop: asyncio.Event
    ) -> None:
        """Wait on purpose: nothing is fetched, and the group is told that this member lives."""
        log.warning("consumer_held", reason=reason, failures=failures)
        await offsets.tell()
        member = offsets.member
        self.heartbeat.hold(reason)
        member.pause(*member.assignment())
        await client.stay(member)
        pause = backoff.delay(failures) if reason == "infrastructure" else _HELD_SECONDS
        await backoff.sleep(pause, stop)

    def _go_on(self, member: Member) -> None:
        if self.heartbeat.held is not None:
            self.heartbeat.free()
            member.resume(*member.assignment())

    def _take_apart(
        self, records: Mapping[Partition, Sequence[Record]]
    ) -> tuple[list[Delivery], list[Stranger]]:
        deliveries: list[Delivery] = []
        strangers: list[Stranger] = []
        for partition, some in records.items():
            mine, others = take_apart(client.topic_of(self.settings, partition), some)
            deliveries += mine
            strangers += others
        return deliveries, strangers


def why_held(error: Exception) -> str | None:
    """Return why the loop must wait; None: it is a bug, and the loop ends with it."""
    if isinstance(error, BreakerOpen):
        return BREAKER
    if isinstance(error, UnknownVersion):
        return UNKNOWN_VERSION
    waits = isinstance(error, KafkaError) or kind_of(error) in (
        Kind.INFRASTRUCTURE,
        Kind.CONTENTION,
    )
    return "infrastructure" if waits else None
