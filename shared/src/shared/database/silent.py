"""Ends sessions whose client fell silent in the middle of a statement, with locks in its hand.

The driver sends a statement in two halves. A process that stands still between them (a stopped
container, a machine out of memory) keeps its transaction, and Postgres counts it as active:
neither `idle_in_transaction_session_timeout` nor `statement_timeout` ends it, and only PostgreSQL
17 knows a limit that does. Without this, every lead it had locked would wait for as long as it.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared import limits

# A COPY, by which a database is restored, reads from its client for as long as it takes.
_END = text("""
    SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user
      AND state = 'active' AND wait_event = 'ClientRead' AND query NOT ILIKE 'copy %'
      AND state_change < clock_timestamp() - make_interval(secs => :seconds)
""")


async def end_silent_sessions(
    engine: AsyncEngine, *, seconds: float = limits.IDLE_IN_TRANSACTION
) -> int:
    """End this role's sessions whose client owes half a statement for so long; count them."""
    async with engine.connect() as connection:
        return await connection.scalar(_END, {"seconds": seconds}) or 0
