"""Restore: carries out the order to take back what this service said (`taking_back`).

It reads the service's own topics from a time before the backup, as a heal reads those of others.
Meanwhile it holds the relay's lease, so nothing is sent. When all is known again, the relay's own
look at the last records finds nothing foreign, and it goes on.
"""

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared import limits
from shared.messaging import foreign
from shared.messaging.lease import Lease
from shared.messaging.replay.heal import Heal
from shared.messaging.replay.orders import Keep, Order, WrongOrder
from shared.messaging.replay.taking_back import Recall, TakingBack
from shared.settings import KafkaSettings

_CLOCKS_DIFFER = timedelta(minutes=10)  # a worker refuses at half of that
_LOOK_EVERY = 0.5

# Something that was sent before the backup: what the database does not know, was sent after it.
_KNOWN_AT = text("""
    SELECT published_at FROM outbox_archive a
    WHERE NOT EXISTS (SELECT FROM taken_back t WHERE t.event_id = a.event_id)
    ORDER BY id DESC LIMIT 1
""")


@dataclass(slots=True)
class Restore:
    """Carries out one order."""

    engine: AsyncEngine
    settings: KafkaSettings
    service: str
    order: Order
    keep: Keep
    recall: Recall
    lease: Lease = field(init=False)

    def __post_init__(self) -> None:
        """Claim the relay's lease under a name of its own: it is not this process's relay."""
        owner = f"{self.settings.instance} restores"
        self.lease = Lease(self.engine, name="relay", owner=owner)

    async def run(self) -> bool:
        """Take back until all is known; False where it was told to stop before.

        Raises:
            WrongOrder: somebody else sends for this service.
            Exception: of Kafka or the database; the order's place says where to go on.
        """
        if self.order.place is None and not await self._foreign():
            return True
        if self.order.wanted.dry_run:
            return await self._read()
        try:
            if not await self._take_lease():
                return False
            done = await self._read()
            if done and await self._foreign():
                raise WrongOrder("verb", self._still_sends())
            return done
        finally:
            await self.lease.give_back()

    async def _foreign(self) -> list[str]:
        return await foreign.records(self.engine, self.settings, self.service)

    async def _take_lease(self) -> bool:
        """Wait for the relay, which looks now and then whether it may go on.

        False where this was told to stop before.
        """
        end = time.monotonic() + 2 * limits.LEASE
        while not await self.lease.hold():
            if time.monotonic() > end:
                raise WrongOrder("verb", self._still_sends())
            if not await self.keep(self.order):
                return False
            await asyncio.sleep(_LOOK_EVERY)
        return True

    async def _read(self) -> bool:
        since = self.order.wanted.since or await self._since()
        self.order.wanted = replace(self.order.wanted, since=since)
        taking = TakingBack(self.engine, self.recall, dry_run=self.order.wanted.dry_run)
        return await Heal(self.settings, taking, self.order, self._keep).run()

    async def _since(self) -> datetime:
        """Return a time before the backup; of a database that had sent nothing, the earliest."""
        async with self.engine.connect() as connection:
            at: datetime | None = await connection.scalar(_KNOWN_AT)
        return at - _CLOCKS_DIFFER if at else datetime.fromtimestamp(0, UTC)

    async def _keep(self, order: Order) -> bool:
        goes_on = await self.keep(order)
        return goes_on and (order.wanted.dry_run or await self.lease.hold())

    def _still_sends(self) -> str:
        return (
            f"somebody still sends for {self.service}: end its workers that have the former"
            " database, then ask again; what was taken back stays"
        )
