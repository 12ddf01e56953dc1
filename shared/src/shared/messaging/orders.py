"""Carries out what people ask for through the API: release or discard what is parked of a lead.

The API writes an order; the worker, which has the handlers, does the work. What failed for being
busy is released here by itself.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Generic
from uuid import UUID

import structlog
from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared import crash_points
from shared.contracts.catalogue import heard_by
from shared.database.errors import Kind, kind_of
from shared.ids import new_id
from shared.messaging import backoff
from shared.messaging.batch import Batch
from shared.messaging.consumer import subscribe
from shared.messaging.heard import D, Hearer
from shared.messaging.release import NothingParked, Release, StillFailing
from shared.telemetry.heartbeat import Heartbeat

log = structlog.get_logger(__name__)

_SLEEP_SECONDS = 0.5
_BUSY_SECONDS = 5.0

_ASK = text("""
    INSERT INTO parking_order (id, verb, subject, actor, reason)
    VALUES (:id, :verb, :subject, :actor, :reason)
""")
_OPEN = text("""
    SELECT id, verb, subject, actor FROM parking_order WHERE done_at IS NULL
    ORDER BY asked_at LIMIT 20
""")
_DONE = text("""
    UPDATE parking_order SET done_at = clock_timestamp(), count = :count, error = :error
    WHERE id = :id AND done_at IS NULL
""")
_LOOK = text("SELECT * FROM parking_order WHERE id = :id")
# What is parked as poison waits for a person; a busy event of that lead waits with it.
_BUSY = text("""
    SELECT DISTINCT p.subject FROM parked_event p
    LEFT JOIN subject s ON s.id = p.subject LEFT JOIN subject t ON t.id = s.alias_of
    WHERE p.reason = 'busy' AND p.parked_at < clock_timestamp() - make_interval(secs => :seconds)
      AND s.parked_as IS NULL AND t.parked_as IS NULL
    LIMIT 20
""")


async def ask(
    connection: AsyncConnection, *, verb: str, subject: UUID, actor: str, reason: str | None
) -> UUID:
    """Write an order; return its id."""
    order_id = new_id()
    values = {"id": order_id, "verb": verb, "subject": subject, "actor": actor, "reason": reason}
    await connection.execute(_ASK, values)
    return order_id


async def look(connection: AsyncConnection, order_id: UUID) -> Row[Any] | None:
    """Return an order as it stands; `done_at` is empty while the worker has not come to it."""
    return (await connection.execute(_LOOK, {"id": order_id})).one_or_none()


@dataclass(slots=True)
class Orders(Generic[D]):
    """The worker's side."""

    engine: AsyncEngine
    service: str
    hearer: Hearer[D]
    heartbeat: Heartbeat

    async def run(self, stop: asyncio.Event) -> None:
        """Carry out orders until told to stop."""
        started_at = await subscribe(self.engine, heard_by(self.service))
        release = Release(self.engine, Batch(self.engine, self.hearer, started_at))
        while not stop.is_set():
            self.heartbeat.beat()
            await self._turn(release)
            await backoff.sleep(_SLEEP_SECONDS, stop)

    async def _turn(self, release: Release[D]) -> None:
        async with self.engine.connect() as connection:
            orders = (await connection.execute(_OPEN)).all()
            busy = (await connection.execute(_BUSY, {"seconds": _BUSY_SECONDS})).all()
        for row in busy:
            await self._carry_out(release, "release", row.subject)
        for order in orders:
            outcome = await self._carry_out(release, order.verb, order.subject)
            if outcome is None:
                continue
            count, error = outcome
            crash_points.reach("orders.before_done")
            async with self.engine.begin() as connection:
                await connection.execute(_DONE, {"id": order.id, "count": count, "error": error})
            log.info("parking_order_done", verb=order.verb, subject=str(order.subject),
                     actor=order.actor, count=count, failed=error is not None)  # fmt: skip

    async def _carry_out(
        self, release: Release[D], verb: str, subject: UUID
    ) -> tuple[int, str | None] | None:
        """Return how many events were dealt with, and what failed; None: somebody holds the lead.

        Then the order stays open for the next turn, and holds no other order up.
        """
        work = release.release if verb == "release" else release.discard
        try:
            return await work(subject), None
        except NothingParked:
            return 0, "nothing is parked of this lead"
        except StillFailing as error:
            return 0, str(error)
        except DBAPIError as error:
            if kind_of(error) is not Kind.CONTENTION:
                raise
            log.warning("lead_busy", subject=str(subject))
            return None
