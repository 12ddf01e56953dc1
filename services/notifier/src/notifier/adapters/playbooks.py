"""Loads playbooks for use cases, and writes what people make of them.

A playbook is a record without a life of its own, so it is written straight from the route; how it
is shown is the business of `queries/playbooks.py`.
"""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.adapters.tables import playbook
from notifier.domain.playbook import Playbook, Role
from shared.database.direct import reading
from shared.ids import new_id

_LOAD_ENABLED = reading(playbook, "WHERE enabled ORDER BY id")
_LOCK = text("SELECT FROM playbook WHERE id = :id FOR UPDATE")


async def load_enabled(connection: AsyncConnection) -> list[Playbook]:
    """Load the playbooks that are in use: they are few."""
    return [
        Playbook(
            id=row.id,
            name=row.name,
            event=row.event,
            condition=row.condition,
            task_kind=row.task_kind,
            title=row.title,
            due_in=timedelta(seconds=row.due_in_seconds),
            grace=timedelta(seconds=row.grace_seconds),
            role=Role(row.role),
        )
        for row in await _LOAD_ENABLED.rows(connection)
    ]


async def add(connection: AsyncConnection, values: Mapping[str, object]) -> UUID:
    """Write a new playbook; return its id. `values` are columns of the table."""
    playbook_id = new_id()
    await connection.execute(playbook.insert().values(id=playbook_id, **values))
    return playbook_id


async def lock(connection: AsyncConnection, playbook_id: UUID) -> None:
    """Lock a playbook, if there is one, so that what is seen of it now is what is changed."""
    await connection.execute(_LOCK, {"id": playbook_id})


async def change(
    connection: AsyncConnection, playbook_id: UUID, values: Mapping[str, object]
) -> None:
    """Change a playbook that is locked."""
    statement = (
        update(playbook)
        .where(playbook.c.id == playbook_id)
        .values(**values, version=playbook.c.version + 1, updated_at=func.now())
    )
    await connection.execute(statement)
