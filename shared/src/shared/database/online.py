"""What migrations do beside traffic: indexes that keep no writer out, rows changed by and by.

Each step commits by itself. So a migration that takes one stands alone in its file: killed in the
middle it is run again from its top, and each of these may be.
"""

from collections.abc import Generator
from contextlib import contextmanager

from alembic import op
from sqlalchemy import text

from shared import limits


def make_index(name: str, on: str, *, unique: bool = False) -> None:
    """Make an index: `make_index("task_of_lead", "task (lead_id)")`.

    What a killed run left of it is there and not valid, which nothing tells; so it begins anew.
    """
    kind = "UNIQUE INDEX" if unique else "INDEX"
    drop_index(name)
    with _unhurried():
        op.execute(f"CREATE {kind} CONCURRENTLY IF NOT EXISTS {name} ON {on}")


def drop_index(name: str) -> None:
    """Drop an index, if it is there."""
    with _unhurried():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def fill(bite: str) -> None:
    """Change rows by a statement that takes some at a time, until it takes fewer than before.

    It names them by `WHERE id IN (SELECT id FROM … WHERE … ORDER BY id LIMIT 1000)`: who waits for
    one of them waits for one bite. What older code writes meanwhile may be left to a later one.
    """
    most = 1
    with op.get_context().autocommit_block():
        while (changed := op.get_bind().execute(text(bite)).rowcount) >= most:
            most = changed


@contextmanager
def _unhurried() -> Generator[None]:
    """Be outside any transaction, and wait for the end of those that are open: nobody queues."""
    with op.get_context().autocommit_block():
        op.execute(f"SET statement_timeout = '{limits.INDEX:.0f}s'")
        op.execute(f"SET lock_timeout = '{limits.INDEX:.0f}s'")
        try:
            yield
        finally:
            op.execute("RESET statement_timeout")
            op.execute("RESET lock_timeout")
