"""Loads and saves scorecards. A published one never changes, so workers keep it once it is read."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from lead_scoring.adapters import rulebooks
from lead_scoring.adapters.tables import scorecard
from lead_scoring.domain.scorecard import Scorecard, State
from shared.database.bulk import Upsert
from shared.database.direct import Statement

_PUBLISHING = 4_217_101
_TAKE_TURN = text("SELECT pg_advisory_xact_lock(:turn)")
_ACTIVE = scorecard.c.state == State.ACTIVE.value
_ACTIVE_ID = Statement("SELECT id FROM scorecard WHERE state = :active")
_SAVE = Upsert(scorecard)


class NoActiveScorecard(Exception):
    """The database holds no active scorecard: the migrations did not run, or a row was deleted."""


async def load_active_id(connection: AsyncConnection) -> UUID:
    """Return which version scores now.

    Raises:
        NoActiveScorecard: none does.
    """
    found = await _ACTIVE_ID.value(connection, active=State.ACTIVE.value)
    if found is None:
        raise NoActiveScorecard
    return found


async def load(connection: AsyncConnection, scorecard_id: UUID) -> Scorecard | None:
    """Load one scorecard, if there is such a one."""
    rows = await connection.execute(select(scorecard).where(scorecard.c.id == scorecard_id))
    row = rows.first()
    return _scorecard(row) if row else None


async def lock(connection: AsyncConnection, scorecard_id: UUID) -> Scorecard | None:
    """Load one scorecard to change it; nobody else changes it meanwhile."""
    wanted = select(scorecard).where(scorecard.c.id == scorecard_id).with_for_update()
    row = (await connection.execute(wanted)).first()
    return _scorecard(row) if row else None


async def lock_active(connection: AsyncConnection) -> Scorecard | None:
    """Take this process's turn to publish, and load what is active then."""
    await connection.execute(_TAKE_TURN, {"turn": _PUBLISHING})
    row = (await connection.execute(select(scorecard).where(_ACTIVE).with_for_update())).first()
    return _scorecard(row) if row else None


async def save(connection: AsyncConnection, scorecards: Sequence[Scorecard]) -> None:
    """Write scorecards in their order: the retired one first, so that one is active at a time."""
    rows = [
        {
            "id": each.id,
            "version": each.version,
            "state": each.state.value,
            "revision": each.revision,
            "book": rulebooks.to_json(each.book),
            "published_at": each.published_at,
            "created_at": each.created_at,
            "updated_at": each.updated_at,
        }
        for each in scorecards
    ]
    await _SAVE.run(connection, rows)


def _scorecard(row: Row[tuple[object, ...]]) -> Scorecard:
    return Scorecard(
        id=row.id,
        book=rulebooks.from_json(row.book),
        created_at=row.created_at,
        updated_at=row.updated_at,
        state=State(row.state),
        revision=row.revision,
        version=row.version,
        published_at=row.published_at,
    )
