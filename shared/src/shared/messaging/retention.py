"""How long each database keeps what nobody needs any more: the rules of each table.

Time is the rule of the archive: a publisher does not know its hearers. What was heard
(`stream`), what was said (`said_stream`), which submissions came and of whom a person gave an event
up is kept for ever.
"""

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database.partitions import DayTable, delete_some
from shared.messaging.settings import RetentionSettings

_OLD_ROWS = {
    "idempotency": "created_at < now() - interval '7 days'",
    "parking_order": """
        done_at < now() - interval '90 days' AND NOT (verb = 'discard' AND count > 0)
    """,
    "parking_release": """
        asked_at < now() - interval '90 days'
        AND NOT EXISTS (SELECT FROM parking_order o WHERE o.release_id = parking_release.id)
    """,
    "replay_order": "done_at < now() - interval '90 days'",
    "breaker": "asked_at < now() - interval '90 days' AND opened_at IS NULL",
    "unreadable_record": "parked_at < now() - interval '90 days'",
    "api_key": "least(expires_at, revoked_at) < now() - interval '30 days'",
    "attempt": """
        tried_at < now() - interval '30 days'
        AND NOT EXISTS (SELECT FROM parked_event p WHERE p.event_id = attempt.event_id)
        AND NOT EXISTS (SELECT FROM outbox o WHERE o.event_id = attempt.event_id)
    """,
}
"""A table, and which of its rows have served: what is open, parked or waits is not among them."""


def archive(settings: RetentionSettings) -> DayTable:
    """Return the archive as a table by day."""
    days = settings.archive_days
    return DayTable("outbox_archive", column="published_at", kind="timestamptz", days=days)


async def delete_old_rows(engine: AsyncEngine) -> dict[str, int]:
    """Delete rows that have served; return how many went, by table."""
    return {table: await delete_some(engine, table, old) for table, old in _OLD_ROWS.items()}
