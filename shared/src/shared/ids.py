"""Identifiers: time-ordered UUIDs (version 7, RFC 9562), and the names under which they travel.

The one place that makes an id; a domain takes ids as arguments.
"""

from datetime import UTC, datetime
from hashlib import sha256
from typing import NewType
from uuid import UUID

from asyncpg.pgproto import pgproto
from uuid_utils import uuid7

LeadId = NewType("LeadId", UUID)
RepId = NewType("RepId", UUID)
DealId = NewType("DealId", UUID)
TaskId = NewType("TaskId", UUID)
EventId = NewType("EventId", UUID)

_RANDOM_BITS = 80


def new_id() -> UUID:
    """Return a fresh id; ids of one process sort in the order in which they were made."""
    return pgproto.UUID(uuid7().bytes)


def id_from(cause: UUID, *parts: object) -> UUID:
    """Return the id of what a cause makes: the same each time that this is made of it.

    A database that was restored hears an event again; what it makes of that must go by the name by
    which others know it already. The id has the cause's time, so it sorts as one of then.
    """
    digest = sha256("|".join(map(str, (cause, *parts))).encode()).digest()
    rest = int.from_bytes(digest[:10], "big") & ~(0xF << 76 | 0x3 << 62)
    time = cause.int >> _RANDOM_BITS
    made = time << _RANDOM_BITS | 0x7 << 76 | 0x2 << 62 | rest
    return pgproto.UUID(made.to_bytes(16, "big"))


def read_id(text: str) -> UUID:
    """Return the id that a text writes.

    As asyncpg's own UUID, of which its rows are full: Python's takes eight times as long to make,
    and to find the one in a dictionary by the other twice as long.

    Raises:
        ValueError: it writes none; the error does not repeat it.
    """
    try:
        return pgproto.UUID(text)
    except ValueError:
        raise ValueError("this is no UUID") from None


def minted_at(identifier: UUID) -> datetime:
    """Return when an id was made, to the millisecond.

    Raises:
        ValueError: the id is not of version 7, so it carries no time.
    """
    if identifier.version != 7:  # noqa: PLR2004  RFC 9562's own number
        raise ValueError(f"{identifier} is a UUID of version {identifier.version}, not 7")
    return datetime.fromtimestamp((identifier.int >> _RANDOM_BITS) / 1000, tz=UTC)


def first_id_of(moment: datetime) -> UUID:
    """Return the lowest id that could be made at `moment`: a bound for ranges over ids."""
    return UUID(int=int(moment.timestamp() * 1000) << _RANDOM_BITS)
