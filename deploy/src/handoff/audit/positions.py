"""Reads positions of streams from the views: sums per bucket first, single streams where needed.

A bucket is the last 8 bits of a subject's id, which are random and the same in every database.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from handoff.audit.behind import Heard, Said, Sent
from handoff.audit.portions import Portion
from handoff.views import Connection

_AT_ONCE = 1000

_BUCKET = "get_byte(uuid_send(subject), 15)"
_WEIGHT = (
    "(1 + get_byte(uuid_send(subject), 14) + 256 * get_byte(uuid_send(subject), 13)"
    " + 65536 * get_byte(uuid_send(subject), 12))"
)
_SUMS = """
    SELECT topic, {bucket} AS bucket, count(*) AS subjects, sum(last_sequence)::bigint AS total,
           sum(last_sequence * {weight})::bigint AS weighted
    FROM {view} WHERE {portion} GROUP BY 1, 2
"""
_IN_BUCKETS = """
    SELECT subject, last_sequence FROM {view}
    WHERE topic = $1 AND {bucket} = ANY($2::int[]) AND {portion}
"""
_SAID = """
    SELECT subject, last_sequence, first_waiting, held FROM said
    WHERE topic = $1 AND subject = ANY($2::uuid[])
"""
_HEARD = """
    SELECT subject, last_sequence, first_parked, reason, error FROM heard
    WHERE topic = $1 AND subject = ANY($2::uuid[])
"""
_PARKED = "SELECT topic, count(*) AS events FROM story WHERE kind = 'parked' GROUP BY topic"
_SENT = """
    SELECT subject, sequence, at, partition, "offset" FROM story
    WHERE kind = 'said' AND topic = $1 AND subject = ANY($2::uuid[])
"""


@dataclass(frozen=True, slots=True)
class Sums:
    """What one side has of a topic, in one bucket or in all.

    `weighted`, by bits of the id, differs also where one stream has what another lacks.
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


Buckets = dict[str, dict[int, Sums]]
"""By topic and bucket."""


async def sums(connection: Connection, view: str, portion: Portion) -> Buckets:
    """Return what `said` or `heard` holds of a portion."""
    where = portion.where(1)
    statement = _SUMS.format(view=view, bucket=_BUCKET, weight=_WEIGHT, portion=where)
    found: Buckets = {}
    for row in await connection.fetch(statement, *portion.values):
        sums = Sums(row["subjects"], row["total"], row["weighted"])
        found.setdefault(row["topic"], {})[row["bucket"]] = sums
    return found


async def in_buckets(
    connection: Connection, view: str, topic: str, buckets: Collection[int], portion: Portion
) -> dict[UUID, int]:
    """Return the last number of each stream in these buckets of a portion."""
    statement = _IN_BUCKETS.format(view=view, bucket=_BUCKET, portion=portion.where(3))
    rows = await connection.fetch(statement, topic, list(buckets), *portion.values)
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


async def parked(connection: Connection) -> Mapping[str, int]:
    """Return how many events of each topic are parked."""
    return {row["topic"]: row["events"] for row in await connection.fetch(_PARKED)}


async def started_at(connection: Connection, topic: str) -> datetime | None:
    """Return when a hearer began to hear a topic; None: it has not."""
    found: datetime | None = await connection.fetchval(
        "SELECT started_at FROM subscribed WHERE topic = $1", topic
    )
    return found


def _portions(subjects: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(subjects), _AT_ONCE):
        yield subjects[start : start + _AT_ONCE]
