"""The process's clock, in UTC. Only edges ask it; a domain takes `now` as an argument.

Leases and timers do not: they go by the database's clock, the one that all replicas share.
"""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present moment, with its time zone."""
    return datetime.now(tz=UTC)
