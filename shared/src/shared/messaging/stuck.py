"""Notices a consumer that turns, gets nothing and yet has work: its client or its group is stuck.

aiokafka was seen to stay so for ever after a broker came back, and its group's heartbeat can die
alone. Only the brokers know; while they do not say, or the consumer waits on purpose or is at work
on a long batch, nothing is concluded.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.kafka import client, lag
from shared.kafka.lag import Reading
from shared.kafka.port import Member, Partition
from shared.loggers import get_logger
from shared.settings import KafkaSettings
from shared.telemetry import metrics
from shared.telemetry.heartbeat import Heartbeat

log = get_logger(__name__)

_LOOKS = 6.0
_LONG_BATCH_SECONDS = 2.0


@dataclass(slots=True)
class StuckWatch:
    """Looks from outside at one member of a group.

    Attributes:
        stuck: there is work, and the group's position in it has not moved for too long.
        idle: there was no work for this member when it was last looked.
        joining: the group gives out its partitions, and this member waits for it.
        batch_began: when the batch began that the member is at work on.
    """

    settings: KafkaSettings
    group: str
    topics: Sequence[str]
    heartbeat: Heartbeat
    stuck: bool = False
    idle: bool = False
    joining: bool = False
    batch_began: float | None = None
    standing: dict[Partition, tuple[int, float]] = field(
        default_factory=dict[Partition, tuple[int, float]]
    )

    async def run(self, member: Member) -> None:
        """Look for ever; cancel to stop."""
        while True:
            await self._look(member)
            await asyncio.sleep(self.settings.stuck_seconds / _LOOKS)

    async def _look(self, member: Member) -> None:
        try:
            places = await lag.of_group(self.settings, group=self.group, topics=self.topics)
        except Exception as error:  # noqa: BLE001  whatever it is, nobody knows; the next look may
            log.info("lag_unknown", error=type(error).__name__)
            self.standing, self.idle = {}, False
            return
        mine = {p: place for p, place in places.items() if p in member.assignment()}
        self._export(mine)
        # Who joined and got no partitions has nothing to do; who waits for some answers for the
        # whole group, for perhaps nobody has them.
        unowned = places if self.joining else {}
        self.idle = not any(place.lag for place in (mine or unowned).values())
        self._judge(mine or unowned, time.monotonic())

    def _judge(self, places: dict[Partition, Reading], now: float) -> None:
        """Note since when each partition with work stands where it stands."""
        batch_seconds = 0.0 if self.batch_began is None else now - self.batch_began
        if self.heartbeat.held is not None or batch_seconds > _LONG_BATCH_SECONDS:
            self.standing = {}
            return
        standing: dict[Partition, tuple[int, float]] = {}
        for partition, place in places.items():
            if place.lag > 0:
                at, since = self.standing.get(partition, (place.next, now))
                standing[partition] = (place.next, since if at == place.next else now)
        self.standing = standing
        longest = max((now - since for _, since in standing.values()), default=0.0)
        self.stuck = longest >= self.settings.stuck_seconds

    def _export(self, mine: dict[Partition, Reading]) -> None:
        waiting = Counter(dict.fromkeys(self.topics, 0))
        for partition, place in mine.items():
            waiting[client.topic_of(self.settings, partition)] += place.lag
        for topic, events in waiting.items():
            metrics.CONSUMER_LAG.labels(topic=topic).set(events)
