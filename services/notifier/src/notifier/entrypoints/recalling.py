"""The door for the notifier's own words: what it said, and its restored database does not know.

Tasks come again as what made them is heard again, under their former ids. What became of those
that are here is in the notifier's own words: so none rings twice, and what was done stays done.
"""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts import catalogue
from shared.contracts.envelope import Envelope
from shared.contracts.task import TaskCompleted, TaskDue, TaskEvent, TaskOverdue

_BECAME = {
    TaskDue: text("""
        UPDATE task SET state = 'due', next_at = due_at + make_interval(secs => grace_seconds),
               version = version + 1, updated_at = :at
        WHERE id = :id AND state = 'open' AND due_at = :due_at
    """),
    TaskOverdue: text("""
        UPDATE task SET state = 'overdue', next_at = NULL, version = version + 1, updated_at = :at
        WHERE id = :id AND state IN ('open', 'due') AND due_at = :due_at
    """),
    TaskCompleted: text("""
        UPDATE task SET state = 'completed', next_at = NULL, finished_at = :at,
               version = version + 1, updated_at = :at
        WHERE id = :id AND state IN ('open', 'due', 'overdue')
    """),
}


async def recall(connection: AsyncConnection, said: Sequence[Envelope]) -> None:
    """Let each task that is here be what it was said to have become, in the order of the words."""
    for envelope in said:
        event = None if envelope.blank else catalogue.read(envelope)
        if isinstance(event, TaskDue | TaskOverdue | TaskCompleted):
            await connection.execute(_BECAME[type(event)], _values(event))


def _values(event: TaskEvent) -> dict[str, object]:
    values: dict[str, object] = {"id": event.task_id, "at": event.occurred_at}
    return values | ({"due_at": event.due_at} if isinstance(event, TaskDue | TaskOverdue) else {})
