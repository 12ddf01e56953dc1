"""Sources are looked up for every request, and read from the database once a second at most."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.marketing_intake.conftest import Intake

from marketing_intake.adapters.sources import SourceBook
from shared.ids import new_id


@contextmanager
def statements(engine: AsyncEngine) -> Generator[list[str]]:
    """Give the statements that are executed during the block."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine.sync_engine, "before_cursor_execute", note)


async def test_those_who_look_for_one_source_at_the_same_time_share_a_read(
    quiet_intake: Intake,
) -> None:
    now = 0.0
    book = SourceBook(quiet_intake.engine, clock=lambda: now)
    wanted = UUID(quiet_intake.source_id)
    with statements(quiet_intake.engine) as seen:
        first = await asyncio.gather(*(book.get(wanted) for _ in range(100)))
        now = 2.0
        again = await asyncio.gather(*(book.get(wanted) for _ in range(100)))

    assert {source.id for source in (*first, *again) if source} == {wanted}
    assert None not in (*first, *again)
    assert len(seen) == 2


async def test_a_source_that_is_not_there_is_looked_for_each_time(quiet_intake: Intake) -> None:
    book, nobody = SourceBook(quiet_intake.engine), new_id()
    with statements(quiet_intake.engine) as seen:
        found = [await book.get(nobody), await book.get(nobody)]

    assert found == [None, None]
    assert len(seen) == 2
