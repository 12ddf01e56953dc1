"""Reads positions of streams from the views: sums per bucket first, single streams where needed.

A bucket is the last 12 bits of a subject's id, which are random and the same in every database.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from handoff.audit.behind import Heard, Said, Sent
from handoff.views import Connection

BUCKETS = 4096
_AT_ONCE = 1000

_BUCKET = "(get_byte(uuid_send(subject), 14) & 15) * 256 + get_byte(uuid_send(subject), 15)"
_SUMS = """
    SELECT {bucket} AS bucket, count(*) AS subjects, sum(last_sequence)::bigint AS total,
           sum(last_sequence * (1 + get_byte(uuid_send(subject), 13)))::bigint AS weighted
    FROM {view} WHERE topic = $1 GROUP BY 1
"""
_IN_BUCKETS = """
    SELECT subject, last_sequence FROM {view} WHERE topic = $1 AND {bucket} = ANY($2::int[])
"""
_SAID = """
    SELECT subject, last_sequence, first_waiting, held FROM said
    WHERE topic = $1 AND subject = ANY($2::uuid[])
"""
_HEARD = """
    SELECT subject, last_sequence, first_parked, reason, error FROM heard
    WHERE topic = $1 AND subject = ANY($2::uuid[])
"""
_PARKED = "SELECT coalesce(sum(parked), 0)::bigint FROM heard WHERE topic = $1"
_SENT = """
    SELECT subject, sequence, at, partition, "offset" FROM story
    WHERE kind = 'said' AND topic = $1 AND subject = ANY($2::uuid[])
"""


@dataclass(frozen=True, slots=True)
class Sums:
    """What one side has of a topic, in one bucket or in all.

    `weighted` differs also where one stream has what another lacks.
    """

    subjects: int = 0
    total: int = 0
    weighted: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        """Put two together."""
        return Sums(
            self.subjects + other.subjects,
            self.total + other.total,
            self.weighted + other.weighted,
        )


async def sums(connection: Connection, view: str, topic: str) -> dict[int, Sums]:
    """Return per bucket what `said` or `heard` holds of a topic."""
    rows = await connection.fetch(_SUMS.format(view=view, bucket=_BUCKET), topic)
    return {row["bucket"]: Sums(row["subjects"], row["total"], row["weighted"]) for row in rows}


async def in_buckets(
    connection: Connection, view: str, topic: str, buckets: Collection[int]
) -> dict[UUID, int]:
    """Return the last number of each stream in these buckets."""
    statement = _IN_BUCKETS.format(view=view, bucket=_BUCKET)
    rows = await connection.fetch(statement, topic, list(buckets))
    return {row["subject"]: row["last_sequence"] for row in rows}


async def said(connection: Connection, topic: str, subjects: Sequence[UUID]) -> Mapping[UUID, Said]:
    """Return these streams as their publisher has them."""
    return {
        row["subject"]: Said(row["last_sequence"], row["first_waiting"], row["held"])
        for some in _portions(subjects)
        for row in await connection.fetch(_SAID, topic, some)
    }


async def heard(
    connection: Connection, topic: str, subjects: Sequence[UUID]
) -> Mapping[UUID, Heard]:
    """Return these streams as a hearer has them."""
    return {
        row["subject"]: Heard(
            row["last_sequence"], row["first_parked"], row["reason"], row["error"]
        )
        for some in _portions(subjects)
        for row in await connection.fetch(_HEARD, topic, some)
    }


async def sent(
    connection: Connection, topic: str, subjects: Sequence[UUID]
) -> Mapping[tuple[UUID, int], Sent]:
    """Return where the events of these streams lie, by subject and number."""
    return {
        (row["subject"], row["sequence"]): Sent(row["at"], row["partition"], row["offset"])
        for some in _portions(subjects)
        for row in await connection.fetch(_SENT, topic, some)
    }


async def parked(connection: Connection, topic: str) -> int:
    """Return how many events of a topic are parked."""
    return int(await connection.fetchval(_PARKED, topic))


async def started_at(connection: Connection, topic: str) -> datetime | None:
    """Return when a hearer began to hear a topic; None: it has not."""
    found: datetime | None = await connection.fetchval(
        "SELECT started_at FROM subscribed WHERE topic = $1", topic
    )
    return found


def _portions(subjects: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(subjects), _AT_ONCE):
        yield subjects[start : start + _AT_ONCE]
