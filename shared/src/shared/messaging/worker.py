"""The loops that every service's worker runs, wired by hand.

Relay, consumer, orders about what is parked, replays, timers, janitor.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.catalogue import heard_by
from shared.database.partitions import DayTable
from shared.messaging import retention
from shared.messaging.brokers import Brokers
from shared.messaging.consumer import Consumer
from shared.messaging.heard import Hearer
from shared.messaging.janitor import Janitor
from shared.messaging.lease import Lease
from shared.messaging.loops import Loop
from shared.messaging.orders import Orders
from shared.messaging.relay import Relay
from shared.messaging.replay.replays import Replays
from shared.messaging.replay.taking_back import Recall, recall_nothing
from shared.messaging.settings import WorkerSettings
from shared.messaging.timers import Timer, TimerLoop
from shared.telemetry.heartbeat import Heartbeats


@dataclass(frozen=True, slots=True)
class Worker:
    """What a service's worker is made of. `version` is the code's: each has its own breaker.

    `said` wakes the relay: whoever commits something that was said in this process sets it.
    """

    engine: AsyncEngine
    settings: WorkerSettings
    service: str
    version: str
    heartbeats: Heartbeats
    hearer: Hearer[Any] | None = None
    recall: Recall = recall_nothing
    timers: Sequence[Timer] = ()
    tables_by_day: Sequence[DayTable] = ()
    said: asyncio.Event = field(default_factory=asyncio.Event)

    def loops(self) -> dict[str, Loop]:
        """Return the loops by name: what `--only` may name."""
        brokers, relay = Brokers(self.settings, self.service), self._relay()
        loops: dict[str, Loop] = {
            "relay": brokers.before(relay.run, relay.heartbeat),
            "orders": self._orders().run,
            "replays": self._replays().run,
            "janitor": self._janitor().run,
        }
        if self.hearer is not None:
            consumer = self._consumer(self.hearer)
            loops["consume"] = brokers.before(consumer.run, consumer.heartbeat)
        for timer in self.timers:
            beat = self.heartbeats.loop(timer.name)
            loops[timer.name] = TimerLoop(self.engine, timer, beat).run
        return loops

    def lease(self, name: str) -> Lease:
        """Return this process's claim to a loop of which there must be one."""
        of = self.settings
        return Lease(self.engine, name=name, owner=of.instance, seconds=of.lease_seconds)

    def _relay(self) -> Relay:
        lease = self.lease("relay")
        beat = self.heartbeats.loop("relay")
        return Relay(self.engine, self.settings, self.service, lease, beat, said=self.said)

    def _consumer(self, hearer: Hearer[Any]) -> Consumer[Any]:
        return Consumer(
            engine=self.engine,
            settings=self.settings,
            service=self.service,
            version=self.version,
            topics=heard_by(self.service),
            hearer=hearer,
            heartbeat=self.heartbeats.loop("consume"),
            said=self.said,
        )

    def _orders(self) -> Orders[Any]:
        beat = self.heartbeats.loop("orders")
        return Orders(self.engine, self.service, self.hearer, self.lease("orders"), beat)

    def _replays(self) -> Replays:
        return Replays(
            engine=self.engine,
            settings=self.settings,
            service=self.service,
            version=self.version,
            lease=self.lease("replays"),
            heartbeat=self.heartbeats.loop("replays"),
            hearer=self.hearer,
            recall=self.recall,
        )

    def _janitor(self) -> Janitor:
        tables = (retention.archive(self.settings), *self.tables_by_day)
        return Janitor(self.engine, tables, self.heartbeats.loop("janitor"))
