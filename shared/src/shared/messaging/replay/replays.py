"""The loop that carries out orders to replay: one at a time, by the holder of a lease.

Whoever holds the lease next goes on where the last one was; what was done since its last note is
done again, and has no second effect.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.catalogue import heard_by
from shared.loggers import get_logger
from shared.messaging import backoff
from shared.messaging.batch import Batch
from shared.messaging.breaker import Breaker
from shared.messaging.consumer import subscribe, why_held
from shared.messaging.heard import Hearer
from shared.messaging.lease import Lease
from shared.messaging.narrowing import Narrowing
from shared.messaging.replay import orders
from shared.messaging.replay.heal import Heal
from shared.messaging.replay.hearing import Hearing, Rehearsal
from shared.messaging.replay.orders import Keep, Order, WrongOrder
from shared.messaging.replay.republish import NotTaken, Republish
from shared.messaging.replay.restoring import Restore
from shared.messaging.replay.taking_back import Recall, recall_nothing
from shared.messaging.sending import Sending
from shared.settings import KafkaSettings
from shared.telemetry import trail
from shared.telemetry.heartbeat import Heartbeat

log = get_logger(__name__)

_SLEEP_SECONDS = 0.5
_HELD_SECONDS = 2.0
_PACE_SECONDS = 0.01


@dataclass(slots=True)
class Replays:
    """The worker's side. `hearer` is None where the service hears nothing.

    `recall` brings back what the service's own words tell of.
    """

    engine: AsyncEngine
    settings: KafkaSettings
    service: str
    version: str
    lease: Lease
    heartbeat: Heartbeat
    hearer: Hearer[Any] | None = None
    recall: Recall = recall_nothing
    hearing: Hearing[Any] | None = field(init=False, default=None)

    async def run(self, stop: asyncio.Event) -> None:
        """Carry out orders until told to stop."""
        try:
            while not stop.is_set():
                await backoff.sleep(await self._turn(stop), stop)
        finally:
            await self.lease.give_back()

    async def _turn(self, stop: asyncio.Event) -> float:
        """Carry out one order, or as much of it as can be done now; return seconds to wait."""
        if not await self.lease.hold() or (epoch := self.lease.epoch) is None:
            self.heartbeat.stand_by()
            return _SLEEP_SECONDS
        self.heartbeat.beat()
        order = await orders.take(self.engine, epoch)
        if order is None:
            self.heartbeat.free()
            self.heartbeat.progress()
            return _SLEEP_SECONDS
        return await self._carry_out(order, stop)

    async def _carry_out(self, order: Order, stop: asyncio.Event) -> float:
        try:
            if await self._work(order, stop):
                await self._finish(order)
        except WrongOrder as wrong:
            await self._finish(order, error=str(wrong), field=wrong.field)
        except NotTaken as refused:
            await self._finish(order, error=str(refused))
        except Exception as error:  # noqa: BLE001  whatever it was, the order says so
            reason = why_held(error)
            if reason is not None:
                await self._hold(order, reason)
                return _HELD_SECONDS
            log.error("replay_failed", order=str(order.id), **trail.of(error))  # noqa: TRY400  as elsewhere
            await self._finish(
                order, error=f"it failed: {type(error).__name__}; the log says where"
            )
        return 0.0

    async def _work(self, order: Order, stop: asyncio.Event) -> bool:
        async def keep(order: Order) -> bool:
            self.heartbeat.free()
            self.heartbeat.progress()
            goes_on = await orders.save(self.engine, order) and await self.lease.hold()
            await asyncio.sleep(_PACE_SECONDS)
            return goes_on and not stop.is_set()

        self.heartbeat.hold("infrastructure")  # until there is something to keep, Kafka is asked
        if order.wanted.verb == "republish":
            sending = Sending(self.settings, self.service)
            async with self.heartbeat.beating():  # a page has many flights, each with its limit
                return await Republish(self.engine, sending, order, keep).run()
        if order.wanted.verb == "restore":
            async with self.heartbeat.beating():  # it may wait for the relay's lease
                return await self._restore(order, keep).run()
        taker = await self._taker(order)
        return await Heal(self.settings, taker, order, keep).run()

    def _restore(self, order: Order, keep: Keep) -> Restore:
        return Restore(self.engine, self.settings, self.service, order, keep, self.recall)

    async def _taker(self, order: Order) -> Hearing[Any] | Rehearsal[Any]:
        """Return what gives the events their effect, or only judges them.

        The first lives as long as the process: which outage was no event's fault must not be
        forgotten when an order that was held is taken up again.

        Raises:
            WrongOrder: this service hears nothing.
        """
        if self.hearer is None:
            raise WrongOrder("verb", f"{self.service} hears no topic: republish is all it can do")
        if order.wanted.dry_run:
            return Rehearsal(await self._batch(self.hearer))
        if self.hearing is None:
            breaker = Breaker(self.service, self.version)
            batch = await self._batch(self.hearer)
            self.hearing = Hearing(Narrowing(self.engine, batch, breaker))
        return self.hearing

    async def _batch(self, hearer: Hearer[Any]) -> Batch[Any]:
        started_at = await subscribe(self.engine, heard_by(self.service))
        return Batch(self.engine, hearer, started_at)

    async def _hold(self, order: Order, reason: str) -> None:
        """Let an order wait, and others go first; it goes on by itself when the reason is gone."""
        log.warning("replay_held", order=str(order.id), reason=reason)
        self.heartbeat.hold(reason)
        await orders.hold(self.engine, order, reason)

    async def _finish(
        self, order: Order, *, error: str | None = None, field: str | None = None
    ) -> None:
        await orders.finish(self.engine, order, error=error, field=field)
        log.info("replay_done", order=str(order.id), verb=order.wanted.verb, failed=bool(error))
