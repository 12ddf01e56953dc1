"""Takes back what this service said and its database, which was restored, does not know of.

Kafka has the events, so they go to the archive as what was sent, with their ids and numbers. What
was said since the restore has numbers that were given out before, and was sent to nobody: it is
numbered anew, behind. What tells of the same cause as an event that was taken back was said twice,
so it goes. What the events tell of is not in this database; each service brings back what it can
(`Recall`), and `taken_back` names the leads that a person is to look at.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared import crash_points
from shared.contracts.envelope import Envelope
from shared.database.direct import Row
from shared.messaging import archive, foreign, outbox, subjects
from shared.messaging.outbox import Known
from shared.messaging.plan import Effects
from shared.messaging.records import Delivery, Stranger

Recall = Callable[[AsyncConnection, Sequence[Envelope]], Awaitable[None]]
"""Brings back what a service's own words tell of, as far as they do; their leads are locked.

What the service made since then stands in the outbox, behind their numbers.
"""

_NOTE = text("""
    INSERT INTO taken_back (event_id, topic, subject, sequence, type, cause, heard, said_at)
    VALUES (:event_id, :topic, :subject, :sequence, :type, :cause, :heard, :said_at)
""")


async def recall_nothing(_connection: AsyncConnection, _said: Sequence[Envelope]) -> None:
    """Serve a service that has all it knows from what it hears."""


@dataclass(slots=True)
class TakingBack:
    """Takes back batch by batch, one transaction each. `dry_run`: only counts."""

    engine: AsyncEngine
    recall: Recall
    dry_run: bool
    effects: Effects = field(default_factory=Counter[tuple[str, str]])

    async def take(self, deliveries: Sequence[Delivery], strangers: Sequence[Stranger]) -> None:
        """See to it that the events are known here."""
        del strangers
        first = {d.envelope.event_id: d for d in reversed(deliveries)}
        became: Effects = Counter()
        async with self.engine.begin() as connection:
            ids = await foreign.unknown(connection, list(first))
            unknown = [d for d in deliveries if first[d.envelope.event_id] is d]
            unknown = [d for d in unknown if d.envelope.event_id in ids]
            if unknown and not self.dry_run:
                became = await self._take_back(connection, unknown)
                crash_points.reach("replay.before_commit")
        read = Counter((d.envelope.topic, "duplicate") for d in deliveries)
        taken = Counter(d.envelope.topic for d in unknown)
        for topic, count in taken.items():
            read[topic, "duplicate"] -= count
            read[topic, "taken_back"] += count
        self.effects.update(read + became)

    def turn(self) -> None:
        """Remember nothing: all is in the database."""

    async def _take_back(self, connection: AsyncConnection, unknown: Sequence[Delivery]) -> Effects:
        """Have the events again; return what became of what was said since."""
        envelopes = [delivery.envelope for delivery in unknown]
        await subjects.lock(connection, {each.subject for each in envelopes}, whole=True)
        await archive.take_back(connection, unknown)
        await connection.execute(_NOTE, [_note(each) for each in envelopes])
        drawn = await outbox.take_out(connection, _known(envelopes))
        kept = _but_repeats(drawn, envelopes)
        await outbox.say_again(connection, kept)
        await self.recall(connection, envelopes)
        became: Effects = Counter((row.topic, "renumbered") for row in kept)
        gone = Counter(row.topic for row in drawn) - Counter(row.topic for row in kept)
        became.update((topic, "dropped") for topic in gone.elements())
        return became


def _note(envelope: Envelope) -> dict[str, object]:
    return {
        "event_id": envelope.event_id,
        "topic": envelope.topic,
        "subject": envelope.subject,
        "sequence": envelope.sequence,
        "type": _type(envelope),
        "cause": envelope.causation_id or envelope.correlation_id,
        "heard": envelope.causation_id is not None,
        "said_at": envelope.said_at,
    }


def _known(envelopes: Sequence[Envelope]) -> list[Known]:
    streams: dict[tuple[str, UUID], list[Envelope]] = {}
    for each in envelopes:
        streams.setdefault((each.topic, each.subject), []).append(each)
    return [
        Known(
            topic,
            subject,
            first=min(each.sequence for each in some),
            last=max(each.sequence for each in some),
            said_at=min(each.said_at for each in some),
        )
        for (topic, subject), some in streams.items()
    ]


def _but_repeats(drawn: Sequence[Row], envelopes: Sequence[Envelope]) -> list[Row]:
    """Leave out what was said again, for the same cause, because its effect was gone."""
    said = Counter(
        (each.subject, _type(each), str(each.causation_id or each.correlation_id))
        for each in envelopes
    )
    kept: list[Row] = []
    for row in drawn:
        cause = row.headers.get("causation_id") or row.headers["correlation_id"]
        key = row.subject, row.type, cause
        if said[key]:
            said[key] -= 1
        else:
            kept.append(row)
    return kept


def _type(envelope: Envelope) -> str:
    return f"{envelope.kind}.v{envelope.version}"
