"""Reads the topics back: is in Kafka what the archives say was sent there, and nothing else?

One partition after the other and window by window, so memory holds one window and the last number
of each subject of one partition. What is sent while it reads is left to the next time.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from aiokafka.errors import KafkaError

from handoff.audit.report import InKafka
from handoff.views import Connection, Views
from shared import limits
from shared.contracts.catalogue import TOPICS, Topic
from shared.contracts.envelope import Envelope, NoEnvelope, from_record
from shared.kafka import client
from shared.kafka.bounds import Bounds, bounds_of
from shared.kafka.port import Partition, Reader
from shared.kafka.record import Record
from shared.kafka.topics import lacking as lacking_topics
from shared.kafka.topics import partitions
from shared.settings import KafkaSettings

_WINDOW = 5_000
_MOST_NAMED = 100
_PATIENCE_MILLISECONDS = 10_000

_ARCHIVED = """
    SELECT id, "offset" FROM story
    WHERE kind = 'said' AND topic = $1 AND partition = $2 AND "offset" >= $3 AND "offset" < $4
"""
_HIGHEST = """
    SELECT max("offset") FROM story
    WHERE kind = 'said' AND topic = $1 AND partition = $2 AND "offset" >= $3
"""
_BEYOND = """
    SELECT count(*) FROM story
    WHERE kind = 'said' AND topic = $1 AND partition = $2 AND "offset" BETWEEN $3 AND $4
"""
_KNOWN = "SELECT id FROM story WHERE kind = 'said' AND id = ANY($1::uuid[])"

Tell = Callable[[str, int], None]
"""Is told what is under way, and how many of it."""


class NoTopics(Exception):
    """The topics cannot be read; the text says why and what to do."""


async def read_topics(settings: KafkaSettings | None, views: Views, *, tell: Tell) -> InKafka:
    """Compare all records with the archives.

    Raises:
        NoTopics: it is not known where Kafka is, or it does not give what it has.
        KafkaError: it does not answer.
    """
    if settings is None:
        raise NoTopics("It is not known where Kafka is: set HANDOFF_KAFKA_BOOTSTRAP.")
    found = InKafka()
    reader = client.reader(settings)
    try:
        places = {place: topic for topic in TOPICS for place in partitions(settings, topic.name)}
        known = await _bounds(settings, reader, places)
        for place, topic in places.items():
            log = _Log(topic, place, reader, views[topic.publisher], found, known.first[place])
            await log.read(known.end[place])
            tell("records read", found.records)
    finally:
        await client.stop(reader)
    return found


async def _bounds(settings: KafkaSettings, reader: Reader, places: Iterable[Partition]) -> Bounds:
    try:
        await client.start(reader)
        return await bounds_of(reader, places)
    except TimeoutError as error:
        why = await _why_silent(settings)
        raise NoTopics(f"Kafka does not say how far its topics reach. {why}") from error


async def _why_silent(settings: KafkaSettings) -> str:
    """Return which topic is not as it is waited for; where all are, the brokers are."""
    try:
        async with asyncio.timeout(limits.KAFKA_READ):
            lacking = await lacking_topics(settings)
    except (KafkaError, OSError):
        lacking = []
    silent = "Its brokers do not answer in time: look whether all of them run, then try again."
    return lacking[0].text if lacking else silent


@dataclass(slots=True)
class _Log:
    """One partition, and what is found in it."""

    topic: Topic
    place: Partition
    reader: Reader
    publisher: Connection
    found: InKafka
    begins: int
    last: dict[UUID, int] = field(default_factory=dict[UUID, int])

    async def read(self, end: int) -> None:
        """Go through all that was there before `end`."""
        self.reader.assign([self.place])
        if end > self.begins:
            self.reader.seek(self.place, self.begins)
        for start in range(self.begins, end, _WINDOW):
            stop = min(start + _WINDOW, end)
            envelopes = self._envelopes(await self._records(start, stop))
            self._look_at_order(envelopes)
            await self._look_at_archive(envelopes, start, stop)
        await self._look_beyond(end)

    async def _first(self) -> int:
        return (await self.reader.beginning_offsets([self.place]))[self.place]

    async def _end(self) -> int:
        return (await self.reader.end_offsets([self.place]))[self.place]

    async def _records(self, start: int, stop: int) -> list[Record]:
        records: list[Record] = []
        at = start
        while at < stop:
            batches = await self.reader.getmany(
                timeout_ms=_PATIENCE_MILLISECONDS, max_records=stop - at
            )
            if not batches:
                raise NoTopics(f"Kafka does not give what is at {self._name(at)}: try again.")
            records += batches[self.place]
            at = records[-1].offset + 1
        self.found.records += len(records)
        return [record for record in records if record.offset < stop]

    def _envelopes(self, records: Sequence[Record]) -> dict[int, Envelope]:
        envelopes: dict[int, Envelope] = {}
        for record in records:
            try:
                envelopes[record.offset] = from_record(
                    topic=self.topic.name, value=record.value, headers=record.headers
                )
            except NoEnvelope as error:
                self.found.strangers += 1
                self._say(record.offset, f"a stranger: {error}")
        return envelopes

    def _look_at_order(self, envelopes: dict[int, Envelope]) -> None:
        """First occurrences count up by one; at the log's begin only where nothing expired yet."""
        for offset, envelope in envelopes.items():
            last = self.last.get(envelope.subject, None if self.begins else 0)
            if last is not None and envelope.sequence > last + 1:
                self.found.inversions += 1
                what = f"number {envelope.sequence} of {envelope.subject} comes after {last}"
                self._say(offset, what)
            if last is None or envelope.sequence > last:
                self.last[envelope.subject] = envelope.sequence

    async def _look_at_archive(self, envelopes: dict[int, Envelope], start: int, stop: int) -> None:
        rows = await self.publisher.fetch(_ARCHIVED, *self._key, start, stop)
        holes = {
            row["offset"]: row["id"]
            for row in rows
            if row["offset"] not in envelopes or envelopes[row["offset"]].event_id != row["id"]
        }
        first = await self._first() if holes else 0
        for offset, event_id in holes.items():
            if offset >= first:
                self.found.holes += 1
                self._say(offset, f"event {event_id} was sent here, and is not here")
        archived = {row["id"] for row in rows}
        await self._look_for_strangers(
            {o: e for o, e in envelopes.items() if e.event_id not in archived}
        )

    async def _look_for_strangers(self, envelopes: dict[int, Envelope]) -> None:
        """An event may lie here a second time, or not be archived yet; else nobody said it."""
        ids = list({envelope.event_id for envelope in envelopes.values()})
        rows = await self.publisher.fetch(_KNOWN, ids) if ids else ()
        known = {row["id"] for row in rows}
        for offset, envelope in envelopes.items():
            if envelope.event_id not in known:
                self.found.strangers += 1
                what = f"{self.topic.publisher} does not know event {envelope.event_id}"
                self._say(offset, f"a stranger: {what} of {envelope.subject}")

    async def _look_beyond(self, end: int) -> None:
        """Count what was archived at places that the log has not reached: Kafka lost its end.

        Places first, the log's end afterwards: what is archived was there before.
        """
        highest = await self.publisher.fetchval(_HIGHEST, *self._key, end)
        if highest is None:
            return
        now = await self._end()
        if highest >= now:
            self.found.holes += await self.publisher.fetchval(_BEYOND, *self._key, now, highest)
            self._say(now, f"the log ends here, and events up to {highest} were sent")

    @property
    def _key(self) -> tuple[str, int]:
        return self.topic.name, self.place.partition

    def _name(self, offset: int) -> str:
        return f"{self.topic.name}, partition {self.place.partition}, offset {offset}"

    def _say(self, offset: int, what: str) -> None:
        if len(self.found.named) < _MOST_NAMED:
            self.found.named.append(f"{self._name(offset)}: {what}")
