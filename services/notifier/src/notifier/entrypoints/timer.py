"""The door for time: tasks that are due or overdue.

The timer loop (`shared.messaging.timers`) does the rest: the database's clock, the locks, the
outbox, the commit. Any number of processes may run it.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from notifier.adapters import desks, tasks
from notifier.usecases.ring_tasks import RingTasks, ring_tasks
from shared.contracts.event import Event
from shared.contracts.task import TaskDue
from shared.ids import LeadId
from shared.telemetry import metrics


class TaskTimer:
    """Rings tasks at their time."""

    name = "ring"

    async def due(self, connection: AsyncConnection, now: datetime, limit: int) -> Sequence[UUID]:
        """Return the leads for whom something is due, the longest due first."""
        return await tasks.leads_with_due(connection, now=now, limit=limit)

    async def fire(
        self, connection: AsyncConnection, subjects: Sequence[UUID], now: datetime
    ) -> Sequence[Event]:
        """Read what is due of these locked leads again, ring it, save it; return what is said."""
        lead_ids = [LeadId(subject) for subject in subjects]
        desk = await desks.lay_for_time(connection, lead_ids, now=now)
        said = [
            event
            for lead_id in lead_ids
            for event in ring_tasks(RingTasks(lead_id=lead_id), desk, now=now)
        ]
        await desks.save(connection, desk)
        for event in said:
            if isinstance(event, TaskDue):
                metrics.TASK_LATE.observe((now - event.due_at).total_seconds())
        return said
