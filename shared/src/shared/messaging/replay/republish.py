"""Republish: sends a part of the archive again, straight to its topics, as it was said before.

Same ids, numbers, headers and keys, in the order of the archive's ids, which is the order of
commits of each subject. Beside the relay this is safe: what it sends is new and comes after
everything in the archive, and hearers keep the first of each number. What waits in the outbox, or
is held there, is the relay's.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from shared import crash_points, limits
from shared.database.direct import Row, Statement
from shared.kafka import client
from shared.kafka.errors import is_of_the_record
from shared.kafka.port import Sender
from shared.messaging import archive, subjects
from shared.messaging.erasure import ERASING_TYPES
from shared.messaging.replay.orders import Keep, Order
from shared.messaging.sending import Acked, Sending, answers, flights

_MOST_ROWS = 200

# Erased meanwhile: blank, whatever the archive holds.
_COLUMNS = f"""
    SELECT r.id, r.event_id, r.topic, r.subject, r.sequence, r.type, r.headers, r.created_at,
           {archive.KEPT} AS payload
    FROM outbox_archive r
"""  # noqa: S608  our own text
_BY_TIME = Statement(f"""
    {_COLUMNS}
    WHERE r.id > :after AND r.topic = ANY(:topics) AND r.published_at >= :since
      AND r.created_at >= :since AND r.created_at < coalesce(CAST(:until AS timestamptz), :asked_at)
    ORDER BY r.id LIMIT :most
""")
_OF_LEAD = Statement(f"""
    {_COLUMNS}
    WHERE r.subject = ANY(:names) AND r.topic = ANY(:topics) AND r.id > :after
    ORDER BY r.id LIMIT :most
""")


@dataclass(slots=True)
class Republish:
    """Carries out one order."""

    engine: AsyncEngine
    sending: Sending
    order: Order
    keep: Keep

    async def run(self) -> bool:
        """Send until the archive's end; False where it was told to stop before.

        Raises:
            NotTaken: Kafka will never take one of the records.
            Exception: of Kafka or the database; the order's place says where to go on.
        """
        if self.order.wanted.dry_run:
            return await self._go_through(None)
        producer = client.producer(self.sending.settings)
        try:
            await client.start(producer)
            return await self._go_through(producer)
        finally:
            await client.stop(producer)

    async def _go_through(self, producer: Sender | None) -> bool:
        while rows := await self._read():
            if producer is not None:
                await self._move(await self._send(producer, rows))
                crash_points.reach("replay.after_send")
            for row in rows:
                self.order.count(row.topic, "sent")
            self.order.place = {"after": rows[-1].id}
            if not await self.keep(self.order):
                return False
        return True

    async def _read(self) -> Sequence[Row]:
        wanted = self.order.wanted
        values: dict[str, object] = {
            "after": self.order.place["after"] if self.order.place else 0,
            "topics": list(wanted.topics),
            "erasing": ERASING_TYPES,
            "most": _MOST_ROWS,
        }
        async with self.engine.connect() as connection:
            if wanted.lead_id is not None:
                names = await subjects.names_of(connection, wanted.lead_id)
                return await _OF_LEAD.rows(connection, **values, names=names)
            asked_at, since, until = self.order.asked_at, wanted.since, wanted.until
            values |= {"since": since, "until": until, "asked_at": asked_at}
            return await _BY_TIME.rows(connection, **values)

    async def _send(self, producer: Sender, rows: Sequence[Row]) -> Acked:
        """Send rows in their order; return where they came to lie, or raise the first error.

        Once more after a failure, all are sent again from the first: so the first record of each
        number still lies in order.
        """
        acked: Acked = {}
        for some in flights(rows):
            async with asyncio.timeout(limits.REPUBLISH_ACK):
                sent, refused = await self.sending.hand_over(producer, some)
                failed = await answers(sent, acked)
            if error := refused or failed:
                raise _not_taken(some, acked, error) if is_of_the_record(error) else error
        return acked

    async def _move(self, acked: Acked) -> None:
        async with self.engine.begin() as connection:
            await archive.move(connection, acked)


class NotTaken(Exception):
    """A record that Kafka will never take as it is."""


def _not_taken(rows: Sequence[Row], acked: Acked, error: Exception) -> NotTaken:
    first = next(row for row in rows if row.id not in acked)
    return NotTaken(f"Kafka does not take event {first.event_id}: {type(error).__name__}")
