"""Four migrated databases as the commands meet them, and hands to write into them."""

import os
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from handoff.services import SERVICES
from handoff.site import Site
from shared.clock import utc_now
from shared.ids import new_id
from shared.kafka.topics import physical
from shared.settings import KafkaSettings

LEADS = "handoff.leads.v1"
SCORES = "handoff.scores.v1"
_SCORE = """
    INSERT INTO lead_score (lead_id, version, touchpoints, score, entries, scorecard_id,
        scorecard_version, qualification, created_at, updated_at)
    SELECT $1, 1, 1, 50, '[]', id, 1, 'open', now(), now() FROM scorecard WHERE state = 'active'
    ON CONFLICT DO NOTHING
"""
_LEAD = """
    INSERT INTO lead (id, version, stamp, created_at, updated_at)
    VALUES ($1, 1, '{}', now(), now()) ON CONFLICT DO NOTHING
"""


@dataclass
class Databases:
    """The services' databases, each opened by its owner."""

    owners: dict[str, asyncpg.Connection]
    owner_urls: dict[str, str]
    urls: dict[str, str]
    kafka: KafkaSettings
    site: Site = field(init=False)

    def __post_init__(self) -> None:
        self.site = Site(databases=self.urls, apis={}, kafka=self.kafka)

    async def say(
        self, subject: UUID, last: int, *, offset: int = 10, topic: str = LEADS, waiting: int = 0
    ) -> list[UUID]:
        """Say events 1 to `last` of a lead; the last `waiting` of them are not sent yet."""
        owner = self.owners["marketing-intake" if topic == LEADS else "lead-scoring"]
        if topic == LEADS:
            await owner.execute(_LEAD, subject)
        await owner.execute("INSERT INTO said_stream VALUES ($1, $2, $3)", topic, subject, last)
        ids = [new_id() for _ in range(last)]
        for sequence, event_id in enumerate(ids, start=1):
            place = None if sequence > last - waiting else offset + sequence - last
            await self._say_one(owner, topic, subject, (sequence, event_id, place))
        return ids

    async def _say_one(
        self,
        owner: asyncpg.Connection,
        topic: str,
        subject: UUID,
        what: tuple[int, UUID, int | None],
    ) -> None:
        sequence, event_id, offset = what
        kind = "scored" if topic == SCORES else "captured" if sequence == 1 else "updated"
        common = (event_id, topic, subject, sequence, f"lead.{kind}.v1", b"{}", "{}", utc_now())
        if offset is None:
            await owner.execute(
                "INSERT INTO outbox (event_id, topic, subject, sequence, type, payload, headers,"
                " created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                *common,
            )
        else:
            await owner.execute(
                "INSERT INTO outbox_archive (id, event_id, topic, subject, sequence, type, payload,"
                ' headers, created_at, partition, "offset")'
                " VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, 0, $9)",
                *common,
                offset,
            )

    async def hear(self, hearer: str, subject: UUID, last: int, *, topic: str = LEADS) -> None:
        """Let a service have heard events 1 to `last` of a lead, and scoring have scored it."""
        if (hearer, topic) == ("lead-scoring", LEADS):
            await self.owners[hearer].execute(_SCORE, subject)
        await self.owners[hearer].execute(
            "INSERT INTO stream VALUES ($1, $2, $3, $4) ON CONFLICT (topic, subject)"
            " DO UPDATE SET last_sequence = excluded.last_sequence",
            topic, subject, last, new_id(),
        )  # fmt: skip

    async def all_hear(self, subject: UUID, last: int) -> None:
        """Let every hearer of leads have heard them."""
        for hearer in ("lead-scoring", "sales-pipeline", "notifier"):
            await self.hear(hearer, subject, last)

    async def park(self, hearer: str, subject: UUID, sequence: int, *, reason: str) -> None:
        """Park an event of a lead."""
        await self.owners[hearer].execute(
            "INSERT INTO parked_event (topic, subject, sequence, event_id, type, reason, value,"
            ' headers, partition, "offset", error)'
            " VALUES ($1, $2, $3, $4, 'lead.captured.v1', $5, '', '{}', 0, 1, 'ValueError: no')",
            LEADS, subject, sequence, new_id(), reason,
        )  # fmt: skip

    async def begin(self, hearer: str, at: datetime) -> None:
        """Let a service have begun to hear leads at this time."""
        await self.owners[hearer].execute("INSERT INTO subscription VALUES ($1, $2)", LEADS, at)

    async def read_up_to(self, hearer: str, offset: int) -> None:
        """Commit the offset of a hearer's group, as the hearer would."""
        place = TopicPartition(physical(self.kafka, LEADS), 0)
        group = f"{self.kafka.topic_prefix}{hearer}"
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka.kafka_bootstrap, group_id=group, enable_auto_commit=False
        )
        await consumer.start()
        consumer.assign([place])
        await consumer.commit({place: offset})
        await consumer.stop()

    def environment(self) -> dict[str, str]:
        """Return what tells the commands where all this is."""
        names = {each.name: each.package.upper() for each in SERVICES}
        databases = {
            f"HANDOFF_OPERATIONS_DATABASE_URL_{names[name]}": url for name, url in self.urls.items()
        }
        return {
            **os.environ,
            **databases,
            "HANDOFF_KAFKA_BOOTSTRAP": self.kafka.kafka_bootstrap,
            "HANDOFF_TOPIC_PREFIX": self.kafka.topic_prefix,
        }
