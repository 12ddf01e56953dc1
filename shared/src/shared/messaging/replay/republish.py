"""Republish: sends a part of the archive again, straight to its topics, as it was said before.

Same ids, numbers, headers and keys, in the order of the archive's ids, which is the order of
commits of each subject. Beside the relay this is safe: what it sends is new and comes after
everything in the archive, and hearers keep the first of each number. What waits in the outbox, or
is held there, is the relay's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared import crash_points, limits
from shared.kafka import client
from shared.kafka.errors import is_of_the_record
from shared.kafka.port import Sender
from shared.messaging.erasure import ERASING_TYPES
from shared.messaging.replay.orders import Order
from shared.messaging.sending import Acked, Sending, answers

_MOST_ROWS = 200

# Erased meanwhile: blank, whatever the archive holds.
_COLUMNS = """
    SELECT a.id, a.event_id, a.topic, a.subject, a.sequence, a.type, a.headers, a.created_at,
           CASE WHEN a.type = ANY(:erasing)
                  OR (SELECT s.erased_at FROM subject s WHERE s.id = a.subject) IS NULL
                THEN a.payload ELSE '' END AS payload
    FROM outbox_archive a
"""
_BY_TIME = text(f"""
    {_COLUMNS}
    WHERE a.id > :after AND a.topic = ANY(:topics) AND a.published_at >= :since
      AND a.created_at >= :since AND a.created_at < coalesce(CAST(:until AS timestamptz), :asked_at)
    ORDER BY a.id LIMIT :most
""")
_OF_LEAD = text(f"""
    {_COLUMNS}
    WHERE a.subject = :lead_id AND a.topic = ANY(:topics) AND a.id > :after
    ORDER BY a.id LIMIT :most
""")
# The proof says where the record lies now; the older one may be gone.
_MOVE = text("""
    UPDATE outbox_archive
    SET partition = (CAST(:partitions AS int[]))[array_position(CAST(:ids AS bigint[]), id)],
        "offset" = (CAST(:offsets AS bigint[]))[array_position(CAST(:ids AS bigint[]), id)]
    WHERE id = ANY(CAST(:ids AS bigint[]))
""")


@dataclass(slots=True)
class Republish:
    """Carries out one order."""

    engine: AsyncEngine
    sending: Sending
    order: Order
    keep: Callable[[Order], Awaitable[bool]]

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
            await producer.start()
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

    async def _read(self) -> Sequence[Row[Any]]:
        wanted = self.order.wanted
        values = {
            "after": self.order.place["after"] if self.order.place else 0,
            "topics": list(wanted.topics),
            "erasing": ERASING_TYPES,
            "most": _MOST_ROWS,
        }
        if wanted.lead_id is not None:
            statement, values = _OF_LEAD, values | {"lead_id": wanted.lead_id}
        else:
            asked_at, since, until = self.order.asked_at, wanted.since, wanted.until
            values |= {"since": since, "until": until, "asked_at": asked_at}
            statement = _BY_TIME
        async with self.engine.connect() as connection:
            return (await connection.execute(statement, values)).all()

    async def _send(self, producer: Sender, rows: Sequence[Row[Any]]) -> Acked:
        """Send rows in their order; return where they came to lie, or raise the first error.

        Once more after a failure, all are sent again from the first: so the first record of each
        number still lies in order.
        """
        acked: Acked = {}
        async with asyncio.timeout(limits.REPUBLISH_ACK):
            sent, refused = await self.sending.hand_over(producer, rows)
            failed = await answers(sent, acked)
        error = refused or failed
        if error is None:
            return acked
        if is_of_the_record(error):
            first = next(row for row in rows if row.id not in acked)
            raise NotTaken(f"Kafka does not take event {first.event_id}: {type(error).__name__}")
        raise error

    async def _move(self, acked: Acked) -> None:
        values = {
            "ids": list(acked),
            "partitions": [answer.partition for answer in acked.values()],
            "offsets": [answer.offset for answer in acked.values()],
        }
        async with self.engine.begin() as connection:
            await connection.execute(_MOVE, values)


class NotTaken(Exception):
    """A record that Kafka will never take as it is."""
