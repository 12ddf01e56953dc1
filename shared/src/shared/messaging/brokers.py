"""The gate before what talks to Kafka: no record moves before the topics are as they must be.

They are looked at once, when the brokers first answer. What is missing is waited for, and not
asked for by name meanwhile: brokers that make topics by themselves would make it, with too few
partitions. What no waiting mends ends the process.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared import limits
from shared.contracts.catalogue import heard_by, said_by
from shared.fitness import Fault, judge
from shared.kafka import topics
from shared.kafka.errors import KafkaError
from shared.loggers import get_logger
from shared.messaging import backoff
from shared.messaging.loops import Loop
from shared.settings import KafkaSettings
from shared.telemetry.heartbeat import Heartbeat

log = get_logger(__name__)


@dataclass(slots=True)
class Brokers:
    """Kafka, as one service's worker meets it at its start."""

    settings: KafkaSettings
    service: str
    fit: bool = False
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def before(self, loop: Loop, heartbeat: Heartbeat) -> Loop:
        """Return the loop, begun once the topics are fit.

        It raises Unfit where they never will be by waiting.
        """

        async def run(stop: asyncio.Event) -> None:
            heartbeat.hold("infrastructure")
            async with self._turn:
                await self._wait(heartbeat, stop)
            if not stop.is_set():
                await loop(stop)

        return run

    async def _wait(self, heartbeat: Heartbeat, stop: asyncio.Event) -> None:
        failures = 0
        while not self.fit and not stop.is_set():
            said = await self._look()
            self.fit = said is None
            if said is not None:
                failures += 1
                log.warning("waits_for_topics", said=said)
                heartbeat.hold("infrastructure", said)
                await backoff.sleep(backoff.delay(failures), stop)

    async def _look(self) -> str | None:
        """Return what is waited for; None: it is all there."""
        names = (*said_by(self.service), *heard_by(self.service))
        try:
            async with asyncio.timeout(limits.KAFKA_READ):
                found = await topics.check(self.settings, names)
        except (KafkaError, OSError) as error:
            return topics.why_away(self.settings, error)
        if coming := [fault.text for fault in found if fault.coming]:
            return " ".join(coming)
        judge("worker", [*found, *await self._of_brokers()])
        return None

    async def _of_brokers(self) -> Sequence[Fault]:
        """Ask each broker; one that stands still keeps nobody from beginning for that."""
        with contextlib.suppress(KafkaError, OSError):
            async with asyncio.timeout(limits.KAFKA_READ):
                return await topics.of_brokers(self.settings)
        return []
