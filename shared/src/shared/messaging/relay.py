"""The relay: takes rows from the outbox to Kafka in their order, and archives what was acked.

One lease holder per database. No transaction is open while it talks to Kafka; nothing is deleted
that was not acked; it stops at the first failure. Rows are read by id from the lowest that is
there, never from a watermark: a row that commits late has a low id and would be passed over.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared import crash_points, limits
from shared.database.direct import Row, Statement
from shared.database.kept import KeptConnection
from shared.kafka import client
from shared.kafka.errors import is_of_the_record
from shared.kafka.port import Sender
from shared.loggers import get_logger
from shared.messaging import archive, attempts, backoff, foreign, pace, subjects
from shared.messaging.erasure import ERASING_TYPES
from shared.messaging.lease import Lease
from shared.messaging.loops import StartAgain
from shared.messaging.sending import Acked, Sending, answers, flights
from shared.settings import KafkaSettings
from shared.telemetry import metrics, spans
from shared.telemetry.heartbeat import FOREIGN_RECORDS, Heartbeat

log = get_logger(__name__)

_MOST_ROWS = 500
_LONGEST_SLEEP = 0.025
_NO_LEASE_SLEEP = 0.5
_FRESH_SECONDS = 1.0

READ = Statement("""
    SELECT id, event_id, topic, subject, sequence, type, payload, headers, created_at
    FROM outbox o
    WHERE NOT EXISTS (
        SELECT FROM outbox_held h WHERE h.topic = o.topic AND h.subject = o.subject
    )
    ORDER BY id LIMIT :most
""")
_BLANK = text("""
    UPDATE outbox o SET payload = '' FROM subject s
    WHERE o.id = :id AND o.payload <> '' AND o.type <> ALL(:erasing)
      AND s.id = o.subject AND s.erased_at IS NOT NULL
""")
_HOLD = text("""
    INSERT INTO outbox_held (topic, subject, error) VALUES (:topic, :subject, :error)
    ON CONFLICT DO NOTHING
""")


class BrokersAway(Exception):
    """They have been for long: a new client asks under the first address, they may have moved."""


@dataclass(slots=True)
class Relay:
    """Sends what one database's outbox holds.

    `said`: set when something was said in this process; of others it hears by looking.
    """

    engine: AsyncEngine
    settings: KafkaSettings
    service: str
    lease: Lease
    heartbeat: Heartbeat
    said: asyncio.Event = field(default_factory=asyncio.Event)
    one_by_one: bool = False
    acked_at: float = 0.0
    kept: KeptConnection = field(init=False)

    def __post_init__(self) -> None:
        """Look, and archive, by a connection of its own."""
        self.kept = KeptConnection(self.engine)

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until told to stop.

        Raises:
            StartAgain: a record was in flight for too long; only a new process is sure to be rid
                of it.
            BrokersAway: nothing is in flight, so the loop may begin anew.
        """
        producer = client.producer(self.settings)
        try:
            self.heartbeat.hold("infrastructure")
            await client.start(producer)
            self.heartbeat.free()
            while not stop.is_set():
                await self._turn(producer, stop)
        finally:
            await client.stop(producer)
            await self.kept.close()
            await self.lease.give_back()

    async def _turn(self, producer: Sender, stop: asyncio.Event) -> None:
        had = self.lease.epoch
        if not await self.lease.hold():
            self.heartbeat.stand_by()
            await backoff.sleep(_NO_LEASE_SLEEP, stop)
            return
        if self.lease.epoch != had and not await self._past_is_known(stop):
            return
        self.heartbeat.beat()
        self.said.clear()
        rows = await self._read()
        if rows and not await self._brokers_answer(producer):
            self.heartbeat.hold("infrastructure")
            if self.heartbeat.seconds_since_progress() > self.settings.ack_seconds:
                raise BrokersAway
            await backoff.sleep(_NO_LEASE_SLEEP, stop)
            return
        self.heartbeat.free()
        if rows:
            crash_points.reach("relay.after_read")
            began = time.monotonic()
            await self._send_and_archive(producer, rows)
            full = len(rows) == _MOST_ROWS
            await backoff.sleep(pace.rest(time.monotonic() - began, full=full), stop)
        else:
            self.heartbeat.progress()
            await backoff.sleep(_LONGEST_SLEEP, self.said, stop)

    async def _past_is_known(self, stop: asyncio.Event) -> bool:
        """After taking the lease: refuse to go on where Kafka knows more of us than we do."""
        self.heartbeat.hold("infrastructure")
        unknown = await foreign.records(self.engine, self.settings, self.service)
        if not unknown:
            return True
        log.error("foreign_records", count=len(unknown), first=unknown[0], advice=foreign.ADVICE)
        self.heartbeat.hold(FOREIGN_RECORDS, foreign.ADVICE)
        await self.lease.give_back()
        await backoff.sleep(limits.LEASE, stop)
        return False

    async def _read(self) -> Sequence[Row]:
        async with self.kept.use() as driver:
            return await READ.rows(driver, most=_MOST_ROWS)

    async def _brokers_answer(self, producer: Sender) -> bool:
        """A fresh ack is answer enough; while there is none, nothing is sent: that is an outage."""
        if time.monotonic() - self.acked_at < _FRESH_SECONDS:
            return True
        return await client.brokers_answer(producer)

    async def _send_and_archive(self, producer: Sender, rows: Sequence[Row]) -> None:
        began = time.monotonic()
        acked: Acked = {}
        try:
            async with asyncio.timeout(self.settings.ack_seconds), self.heartbeat.beating():
                await self._send(producer, rows, acked)
        except TimeoutError:
            raise StartAgain("a record had no ack for too long") from None
        finally:
            await self._archive(acked)
        self.acked_at = time.monotonic()
        self.heartbeat.progress()
        _tell(rows, self.acked_at - began)

    async def _send(self, producer: Sender, rows: Sequence[Row], acked: Acked) -> None:
        """Send in order; after a failure record by record, to find the one that it came from."""
        for some in _one_by_one(rows) if self.one_by_one else flights(rows):
            error = await self._send_some(producer, some, acked)
            if error is None:
                continue
            log.warning("relay_failed", error=type(error).__name__, rows=len(some))
            if len(some) == 1 and is_of_the_record(error):
                await self._count(some[0], error)
            self.one_by_one = True
            raise error
        self.one_by_one = False

    async def _send_some(
        self, producer: Sender, rows: Sequence[Row], acked: Acked
    ) -> Exception | None:
        """Send rows together; note which were acked; return the first error, if there was one."""
        with spans.together("send", "producer"):
            sent, refused = await Sending(self.settings, self.service).hand_over(producer, rows)
            crash_points.reach("relay.after_send")
            failed = await answers(sent, acked)
            if refused or failed:
                spans.fail()
        crash_points.reach("relay.after_ack")
        return refused or failed

    async def _archive(self, acked: Acked) -> None:
        if not acked:
            return
        crash_points.reach("relay.before_archive")
        async with self.kept.use() as driver:
            await archive.put(driver, acked)
        crash_points.reach("relay.after_archive")

    async def _count(self, row: Row, error: Exception) -> None:
        """Count a record that failed alone; the third time its subject is held."""
        tries = (await attempts.count(self.engine, [row.event_id]))[row.event_id]
        if tries < attempts.MOST:
            return
        async with self.engine.begin() as connection:
            if await subjects.held(connection, [row.subject]):
                return  # perhaps by who erases it: then what waits is blank in a moment
            held = await self._hold(connection, row, error)
            await attempts.forget(connection, [row.event_id])
        if held:
            metrics.RELAY_HELD.inc()
            log.error("outbox_held", topic=row.topic, subject=str(row.subject))

    async def _hold(self, connection: AsyncConnection, row: Row, error: Exception) -> bool:
        """Hold a row's subject; what was said of an erased one is blanked instead."""
        erased = {"id": row.id, "erasing": ERASING_TYPES}
        if (await connection.execute(_BLANK, erased)).rowcount:
            return False
        values = {"topic": row.topic, "subject": row.subject, "error": type(error).__name__}
        await connection.execute(_HOLD, values)
        return True


def _tell(rows: Sequence[Row], seconds: float) -> None:
    metrics.RELAY_BATCH.observe(len(rows))
    metrics.RELAY_SECONDS.observe(seconds)
    kinds = Counter(row.type for row in rows)
    log.info("batch_sent", events=len(rows), seconds=round(seconds, 4), kinds=kinds)


def _one_by_one(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for row in rows:
        yield [row]
